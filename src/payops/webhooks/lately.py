"""Whether an endpoint takes genuine events now, and when nothing at all came: by the events alone.

Pure. An event that came has a row in the event log or a key in Redis; without either, what the
ledger shows of it has to do. One that is owed did not come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from payops.domain.webhook import Moved, PathEvent

# So many of the newest have to say the same: one alone may have been sent by hand, and one that
# did not come may have met a restart.
LAST = 3
# So many events of so many types have to be missing to call it silence: a handler that drops a
# type drops that one alone.
_SILENT, _SILENT_TYPES = 3, 2


class Lately(Enum):
    """What became of the newest deliveries; the value is the detail that people read."""

    TAKES = f"the newest {LAST} arrived: it seems to be well again"
    SOME = f"of the newest {LAST} some arrived and some did not"
    REFUSES = "none of the newest arrived"
    UNKNOWN = "the endpoint answers well to a POST without a signature"
    """Only some of the events were read."""


@dataclass(frozen=True)
class Silence:
    """From `since` to `until` not one event left a trace and none is owed; before it some did, and
    after it some came."""

    since: datetime
    until: datetime


def came(event: PathEvent, *, has_log: bool) -> bool | None:
    """Whether an event arrived here; None where nothing tells."""
    if event.logged or event.seen:
        return True
    if event.pending_webhooks > 0:
        return False
    if not has_log and event.seen is None and event.moved is Moved.YES:
        return True
    return None


def lately(
    events: Sequence[PathEvent], concerns: Callable[[PathEvent], bool], *, has_log: bool
) -> Lately:
    """What became of the newest of `events` (the oldest first) that `concerns` the endpoint."""
    newest: list[bool] = []
    for event in reversed(events):
        told = came(event, has_log=has_log)
        if told is None or not concerns(event):
            continue
        newest.append(told)
        if len(newest) == LAST:
            break
    if not any(newest):
        return Lately.REFUSES
    return Lately.TAKES if all(newest) and len(newest) == LAST else Lately.SOME


def silences(events: Sequence[PathEvent]) -> list[Silence]:
    """The times without any sign of an endpoint that is registered for all of `events` (the oldest
    first); for systems with an event log, where each event that came has left a row."""
    found: list[Silence] = []
    run: list[PathEvent] = []
    arrived = 0
    for event in reversed(events):
        told = came(event, has_log=True)
        if told is None:
            run.append(event)
            continue
        if arrived >= LAST and _is_silent(run):
            found.append(Silence(run[-1].created, run[0].created))
        run = []
        arrived += told
    return found[::-1]  # what came first of all may be older than the log's rows


def _is_silent(run: Sequence[PathEvent]) -> bool:
    return len(run) >= _SILENT and len({event.type for event in run}) >= _SILENT_TYPES
