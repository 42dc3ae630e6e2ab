"""One point in time that nothing may outlive."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, `at` in seconds of `time.monotonic()`."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    def sooner(self, share: float, at_most: float) -> Deadline:
        """A deadline before this one, by a share of what is left but `at_most` seconds.

        For the clients of a run: they give up in time to say why, before the run itself ends.
        """
        return Deadline(self.at - min(self.remaining * share, at_most))

    def within(self, seconds: float) -> float:
        """`seconds`, or what is left if that is less: the timeout to give to a client."""
        return min(seconds, self.remaining)
