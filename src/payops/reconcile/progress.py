"""How far a fetch is: numbers for whoever draws them, or a plain line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from payops.domain.duration import human_duration


@dataclass(frozen=True)
class Progress:
    """What has been fetched so far.

    `phase` is a person's word for what is read now (`payment intents`, `ledger payments`).
    `pages` and `calls` count since the start of the run (a call that was retried counts again),
    `objects` those that are on disk, reused ones too. `rate` is objects a second over the last
    seconds. `left_s` is an estimate, None while there is none.
    """

    phase: str
    pages: int
    objects: int
    calls: int
    rate: float
    elapsed_s: float
    left_s: float | None
    done: bool = False


Report = Callable[[Progress], None]


def line(progress: Progress) -> str:
    """One plain line: `payment intents: 12,300 objects, 123 pages, 2,450/s, 130 calls, 2 min`."""
    parts = [
        f"{progress.objects:,} objects",
        f"{progress.pages:,} pages",
        f"{progress.rate:,.0f}/s",
        f"{progress.calls:,} calls",
    ]
    if progress.done:
        parts.append(f"done in {human_duration(progress.elapsed_s)}")
    elif progress.left_s is not None:
        parts.append(f"{human_duration(progress.left_s)} left")
    return f"{progress.phase}: {', '.join(parts)}"


def plain_lines(write: Callable[[str], object], every: float = 5.0) -> Report:
    """A report that writes a line every few seconds, and one when a longer phase ends."""
    last = time.monotonic()
    said = ""

    def report(progress: Progress) -> None:
        nonlocal last, said
        now = time.monotonic()
        if now - last >= every or (progress.done and said == progress.phase):
            last, said = now, progress.phase
            write(line(progress))

    return report
