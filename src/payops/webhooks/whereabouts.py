"""How far events have come, as far as it can be seen now: ledger, event log, dedupe key.

From these a replay tells what need not be sent, and after an interruption what was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from payops.domain.payment import PAID, PaymentStatus
from payops.domain.webhook import Moved, PathEvent
from payops.webhooks.told import shows, words_of

if TYPE_CHECKING:
    from datetime import datetime

    from payops.config.settings import Settings
    from payops.sources import Sources
    from payops.sources.event_log import LogRow
    from payops.sources.redis_keys import EventKeys, Mark

# Types that move no ledger as it should be kept, and that a handler may write a state by all the
# same: over a later one they would do harm.
_ALSO_TELLS = {
    "payment_intent.created": PaymentStatus.PENDING,
    "charge.pending": PaymentStatus.PROCESSING,
    "charge.failed": PaymentStatus.FAILED,
    "charge.succeeded": PaymentStatus.SUCCEEDED,
    "checkout.session.expired": PaymentStatus.CANCELED,
}
# Any type by which the payment's row is looked up.
_OF_A_PAYMENT = "payment_intent.succeeded"


@dataclass(frozen=True)
class Whereabouts:
    """Of one event: what the ledger shows of it, in which row, and that row's state (None where it
    has none that is mapped); its line in the event log, and how often it was tried there; its
    dedupe key, None where there is none."""

    moved: Moved = Moved.NOT_TOLD
    local_id: str = ""
    status: PaymentStatus | None = None
    logged: str = ""
    attempts: int = 0
    received_at: datetime | None = None
    mark: Mark | None = None


def overtaken(event: PathEvent, status: PaymentStatus | None) -> bool:
    """Whether the ledger shows a later state than the event tells, which it might overwrite."""
    also = _ALSO_TELLS.get(event.type)
    told = frozenset(words_of(event)) or (frozenset({also}) if also else frozenset())
    if not told or status is None or status in told:
        return False
    # A row that is paid is never set back by a replay: where Stripe says canceled, a person looks.
    return shows(status, told) or (status in PAID and not told & PAID)


def whereabouts(
    settings: Settings, sources: Sources, keys: EventKeys | None, events: Sequence[PathEvent]
) -> dict[str, Whereabouts]:
    """Those of each event, by its id. Raises SourceError: without having looked nothing is sent."""
    from payops.webhooks.ledger import standings
    from payops.webhooks.logged import logged, with_rows

    found = standings(settings, sources, events)
    payments = [replace(event, type=_OF_A_PAYMENT) for event in events if event.type in _ALSO_TELLS]
    rows_of = {
        id_: standing.rows for id_, standing in standings(settings, sources, payments).items()
    }
    log: Mapping[str, list[LogRow]] = {}
    if settings.event_logs:
        log, _ = logged(settings, sources, [event.id for event in events])
    marks = _marks(settings, keys, [event.id for event in events])
    told: dict[str, Whereabouts] = {}
    for event in events:
        standing = found[event.id]
        rows = standing.rows or rows_of.get(event.id, ())
        its = with_rows(event, log)
        told[event.id] = Whereabouts(
            moved=standing.moved,
            local_id=rows[0].key if rows else "",
            status=next((row.word for row in rows if row.word is not None), None),
            logged=its.logged,
            attempts=its.attempts or 0,
            received_at=its.received_at,
            mark=marks.get(event.id),
        )
    return told


def _marks(
    settings: Settings, keys: EventKeys | None, events: Sequence[str]
) -> dict[str, Mark | None]:
    dedupe = settings.webhooks.dedupe
    if keys is None or dedupe is None:
        return {}
    names = {dedupe.key.replace("{event}", id_): id_ for id_ in events}
    return {names[key]: mark for key, mark in keys.marks(list(names)).items()}
