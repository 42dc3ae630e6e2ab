"""A span of time with exact edges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Window:
    """From `since` (inclusive) to `until` (exclusive), both aware UTC."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a window's edges are aware times")
        if self.since > self.until:
            raise ValueError("a window ends after it begins")

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    @property
    def length(self) -> timedelta:
        return self.until - self.since
