"""What a circuit breaker's stored values mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class BreakerState(Enum):
    """Closed lets calls through, open refuses them, half-open lets a trial through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def read_state(stored: str | None) -> BreakerState | None:
    """The state behind a stored word; absent means closed (runbook 004). None: not understood.

    >>> read_state(None), read_state(" Half-Open "), read_state("ajar")
    (<BreakerState.CLOSED: 'closed'>, <BreakerState.HALF_OPEN: 'half_open'>, None)
    """
    if stored is None:
        return BreakerState.CLOSED
    word = stored.strip().strip("\"'").lower().replace("-", "_").replace(" ", "_")
    words = {
        "closed": BreakerState.CLOSED,
        "open": BreakerState.OPEN,
        "opened": BreakerState.OPEN,
        "half_open": BreakerState.HALF_OPEN,
        "half_opened": BreakerState.HALF_OPEN,
        "halfopen": BreakerState.HALF_OPEN,
    }
    return words.get(word)


@dataclass(frozen=True)
class BreakerReading:
    """One breaker as it was found.

    `raw_state` is the stored word (None: no such key). `failures` and the times are None when
    absent or not understood. `recovery_s` is how long it stays open by its configuration.
    """

    name: str
    raw_state: str | None
    failures: int | None
    failure_threshold: int
    opened_at: datetime | None
    last_failure: datetime | None
    recovery_s: float

    @property
    def state(self) -> BreakerState | None:
        return read_state(self.raw_state)

    @property
    def opened(self) -> datetime | None:
        """When it opened; the last failure stands in where the opening is not stored."""
        return self.opened_at or self.last_failure

    def overdue_s(self, now: datetime) -> float | None:
        """Seconds since it should have turned half-open; None when not open or not yet due."""
        if self.state is not BreakerState.OPEN or self.opened is None:
            return None
        overdue = (now - self.opened).total_seconds() - self.recovery_s
        return overdue if overdue > 0 else None
