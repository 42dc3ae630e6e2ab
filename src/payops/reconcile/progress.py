"""How far a fetch is: numbers for whoever draws them, or a plain line every few seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from payops.domain.duration import human_duration

_EVERY_S = 0.2
_OVER_S = 10.0


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


class Meter:
    """Counts, for one report; safe to share between threads."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque()
        self._told = 0.0
        self._calls: Callable[[], int] = lambda: 0
        self._pages_left: Callable[[], float | None] = lambda: None
        self.phase = ""
        self.objects = self.pages = 0
        self._done = True

    def begin(self, phase: str, calls: Callable[[], int] | None = None) -> None:
        """Another phase, which counts its objects anew; `calls` gives the requests sent so far."""
        with self._lock:
            self.phase, self.objects, self._done = phase, 0, False
            self._calls = calls or self._calls
            self._pages_left = lambda: None
            self._recent.clear()

    def follow(self, pages_left: Callable[[], float | None]) -> None:
        """Where to ask how many pages are left."""
        self._pages_left = pages_left

    def add(self, *, objects: int = 0, pages: int = 0) -> None:
        """So much more was read."""
        with self._lock:
            self.objects += objects
            self.pages += pages

    def tell(self, *, done: bool = False) -> None:
        """Report, at most a few times a second."""
        if self._report is None or self._done:
            return
        self._done = done
        now = time.monotonic()
        if not done and now - self._told < _EVERY_S:
            return
        self._told = now
        self._report(self._progress(now, done))

    def _progress(self, now: float, done: bool) -> Progress:
        pages_left = self._pages_left()
        with self._lock:
            self._recent.append((now, self.objects))
            while now - self._recent[0][0] > _OVER_S:
                self._recent.popleft()
            then, before = self._recent[0]
            seconds = now - then
            rate = (self.objects - before) / seconds if seconds > 0 else 0.0
            per_page = self.objects / self.pages if self.pages else 0.0
            left = pages_left * per_page / rate if pages_left is not None and rate > 0 else None
            return Progress(
                self.phase,
                self.pages,
                self.objects,
                self._calls(),
                rate,
                now - self._began,
                left,
                done,
            )
