"""A row of numbers over time, drawn on a terminal by the outputs for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Plot:
    """`values` by the beginning of each bucket (aware UTC, in order); None is not known, which is
    no zero: a line has a gap there.

    `unit` stands beside the numbers (`%`, `ms`). The axis begins at 0, or at `lowest`, and ends at
    the largest value, or at `highest`. With `bars` each value stands on the axis, else a line joins
    them. What is drawn stands in one of the report's tables too, where programs find it.
    """

    id: str
    title: str
    moments: tuple[datetime, ...]
    values: tuple[float | None, ...]
    unit: str = ""
    lowest: float = 0
    highest: float | None = None
    bars: bool = False

    def __post_init__(self) -> None:
        if len(self.moments) != len(self.values):
            raise ValueError(f"{self.id}: each value has its time")
