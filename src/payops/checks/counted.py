"""Counters of a server, made into what happened in a known time.

Two readings a moment apart would not do: a backend hands its counts in at most once a second, so
what 300 ms show is chance. So an earlier run is compared with, or the time since the counters were
reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.checks.contract import Earlier

# Nearer than this, two runs show chance too.
SHORTEST_S = 5.0


@dataclass(frozen=True)
class Rate:
    """`count` more in `seconds`."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """How many in a second, on average."""
        return self.count / self.seconds


def since_earlier(now: int, as_of: datetime, earlier: Earlier | None, name: str) -> Rate | None:
    """What came since the earlier run measured `name`; None where there was none, it was just now,
    or the counter has begun anew since."""
    before = earlier.measured.get(name) if earlier else None
    if earlier is None or isinstance(before, bool) or not isinstance(before, int):
        return None
    seconds = (as_of - earlier.as_of).total_seconds()
    if seconds < SHORTEST_S or now < before:
        return None
    return Rate(now - before, seconds)


def rate_of(
    now: int, as_of: datetime, earlier: Earlier | None, name: str, counted_s: float | None
) -> Rate | None:
    """As `since_earlier`; without one, since the counter was reset, where that is known."""
    found = since_earlier(now, as_of, earlier, name)
    if found is None and counted_s is not None and counted_s >= SHORTEST_S:
        return Rate(now, counted_s)
    return found
