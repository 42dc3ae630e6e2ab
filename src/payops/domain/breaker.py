"""What a circuit breaker's stored values mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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

    `state` is None for a stored word that is not understood, `raw_state` that word (None: no such
    key). `failures` and the times are None when absent or not understood. `recovery_s` is how long
    it stays open, `window_s` over how long failures are counted: its program's own, else the
    configuration's. `due_at` is when it turns half-open, where that is stored. `keys` are those of
    its keys that exist, with `ttls` in seconds (None: for ever). `computed`: half-open is never
    stored; once recovery is over calls go through. `odd` names values that were not understood,
    `busy` tells that its program is writing it.
    """

    name: str
    state: BreakerState | None
    raw_state: str | None
    failures: int | None
    failure_threshold: int
    opened_at: datetime | None
    last_failure: datetime | None
    recovery_s: float
    window_s: float = 60
    layout: str = "split"
    successes: int | None = None
    due_at: datetime | None = None
    keys: tuple[str, ...] = ()
    ttls: Mapping[str, int | None] = field(default_factory=dict)
    computed: bool = False
    odd: tuple[str, ...] = ()
    busy: bool = False

    @property
    def opened(self) -> datetime | None:
        """When it opened; the last failure stands in where the opening is not stored."""
        return self.opened_at or self.last_failure

    @property
    def due(self) -> datetime | None:
        """When it turns half-open, or lets the next call try."""
        if self.due_at is not None:
            return self.due_at
        return None if self.opened is None else self.opened + timedelta(seconds=self.recovery_s)

    def overdue_s(self, now: datetime) -> float | None:
        """Seconds since it should have turned half-open; None when not open or not yet due."""
        if self.state is not BreakerState.OPEN or self.due is None:
            return None
        overdue = (now - self.due).total_seconds()
        return overdue if overdue > 0 else None

    def effective(self, now: datetime) -> BreakerState | None:
        """What it does with a call now: of a `computed` one open ends by itself, and one without an
        opening time lets everything through."""
        if self.computed and self.state is BreakerState.OPEN:
            over = self.due is None or self.due <= now
            return BreakerState.HALF_OPEN if over else BreakerState.OPEN
        return self.state

    def contradictions(self, now: datetime) -> tuple[str, ...]:
        """What in it cannot be as its program means it to be, in words."""
        found = [f"{part} is not understood" for part in self.odd]
        ahead = now + timedelta(seconds=_SKEW_S)
        if self.state is BreakerState.OPEN and self.opened is None and self.due_at is None:
            found.append("open without an opening time: nothing tells when half-open is due")
        times = (("opening time", self.opened_at), ("last failure", self.last_failure))
        found += [f"its {what} lies in the future" for what, at in times if at and at > ahead]
        counted = self.failures or 0
        if self.state is BreakerState.CLOSED and counted >= self.failure_threshold:
            found.append(
                f"closed with {counted:,} failures counted, and {self.failure_threshold} open it"
            )
        return tuple(found)


# Two clocks of one house may differ by so much.
_SKEW_S = 5
