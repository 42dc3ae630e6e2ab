"""What the event logs say of events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.domain.webhook import PathEvent
from payops.webhooks.probe_event import ID_PREFIX

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources import Sources
    from payops.sources.event_log import LogRow

# Rows that are not finished, and that Stripe's list does not have: enough to name them.
MOST_STRANGERS = 1000
# Of several rows of one event: what says most.
_BEST = {"handled": 0, "failed": 1, "waiting": 2}


def logged(
    settings: Settings, sources: Sources, events: Iterable[str]
) -> tuple[dict[str, list[LogRow]], datetime | None]:
    """The rows of these events by id, of all logs, and the database's clock. Raises SourceError."""
    from payops.sources.event_log import EventLogReader

    wanted = list(events)
    found: dict[str, list[LogRow]] = defaultdict(list)
    now: datetime | None = None
    for log in settings.event_logs.values():
        told = EventLogReader(sources.postgres, log).named(wanted)
        now = told.now or now
        for row in told.rows:
            found[row.event_id].append(row)
    return found, now


def unfinished(settings: Settings, sources: Sources, since: datetime) -> list[PathEvent]:
    """Events that arrived since then and have not been handled to the end, by the logs alone, the
    oldest first. `created` is when they arrived: when Stripe made them is not asked. What payops'
    own probes left is none. Raises SourceError."""
    from payops.sources.event_log import EventLogReader

    found: dict[str, PathEvent] = {}
    for log in settings.event_logs.values():
        reader = EventLogReader(sources.postgres, log)
        for row in reader.unfinished(since, MOST_STRANGERS).rows:
            received = _utc(row.received_at)
            # Without an id it is no event of Stripe's.
            if row.event_id and received is not None and not row.event_id.startswith(ID_PREFIX):
                blank = PathEvent(row.event_id, row.type or "", received, True, 0)
                found[row.event_id] = with_rows(blank, {row.event_id: [row]})
    return sorted(found.values(), key=lambda event: event.created)


def with_rows(event: PathEvent, rows: Mapping[str, list[LogRow]]) -> PathEvent:
    """The event with what the log's rows say of it; as it is where there is none."""
    from payops.sources.event_log import word_of

    its = rows.get(event.id)
    if not its:
        return event
    words = [word_of(row) for row in its]
    best = min(range(len(its)), key=lambda number: _BEST[words[number]])
    row = its[best]
    attempts = [each.attempts for each in its if each.attempts is not None]
    return replace(
        event,
        logged=words[best],
        times=words.count("handled"),
        received_at=min((t for each in its if (t := _utc(each.received_at))), default=None),
        processed_at=_utc(row.processed_at) if words[best] == "handled" else None,
        attempts=sum(attempts) if attempts else None,
        error=row.error or "",
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
