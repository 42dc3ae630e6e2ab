"""Which windows `payops stats` looks at, and the hours or days in them. All UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from payops.domain.duration import human_span, utc_text
from payops.domain.window import Window

Unit = Literal["hour", "day"]
Period = Literal["weekly", "monthly"]

_STANDARD = (
    ("1h", timedelta(hours=1)),
    ("24h", timedelta(hours=24)),
    ("7d", timedelta(days=7)),
)
_DAYS = {"weekly": 7, "monthly": 30}
# Beyond this nothing could be read: a month by the hour is 720 rows.
MOST_BUCKETS = 1_000


@dataclass(frozen=True)
class Span:
    """A window with the name that its column has (`1h`, `this`, `since`)."""

    name: str
    window: Window

    @property
    def title(self) -> str:
        """`the last 24 h`, or the days of a report."""
        if self.name in ("this", "before"):
            return f"{utc_text(self.window.since)[:10]} to {utc_text(self.window.until)[:10]}"
        return human_span(self.window.length.total_seconds())


@dataclass(frozen=True)
class Spans:
    """What is asked: `shown` is the window that is drawn by `unit`, `judged` the one that is held
    against the limits, `all` those side by side (shortest first, or this period and the one
    before)."""

    shown: Span
    judged: Span
    all: tuple[Span, ...]
    unit: Unit

    def buckets(self) -> tuple[datetime, ...]:
        """The beginning of every hour or day that has a part in the shown window."""
        return tuple(_buckets(self.shown.window, self.unit))


def recent(now: datetime, since: datetime, unit: Unit) -> Spans:
    """1 h, 24 h and 7 d back from `now` (the database's clock), and `since` to now."""
    shown = Span(_name(now - since), Window(since, now))
    spans = [Span(name, Window(now - length, now)) for name, length in _STANDARD]
    if all(span.window != shown.window for span in spans):
        spans.append(shown)
    ordered = tuple(sorted(spans, key=lambda span: span.window.length))
    return Spans(shown, spans[0], ordered, unit)


def period(now: datetime, which: Period, unit: Unit) -> Spans:
    """The last seven or thirty whole days, and as many before them, so that a report of a day is
    the same whenever it is made."""
    until = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    length = timedelta(days=_DAYS[which])
    this = Span("this", Window(until - length, until))
    before = Span("before", Window(until - 2 * length, until - length))
    return Spans(this, this, (this, before), unit)


def count_of(window: Window, unit: Unit) -> int:
    """How many hours or days have a part in a window."""
    return sum(1 for _ in _buckets(window, unit))


def _buckets(window: Window, unit: Unit) -> Iterator[datetime]:
    step = timedelta(hours=1) if unit == "hour" else timedelta(days=1)
    at = window.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if unit == "day":
        at = at.replace(hour=0)
    while at < window.until:
        yield at
        at += step


def _name(length: timedelta) -> str:
    """`6h`, `3d`, `90m`: as one types it; `since` where nobody would (`--since 2026-02-11`)."""
    seconds = round(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds // size}{unit}" if (unit, seconds) != ("d", 172_800) else "2d"
    return {3_600: "1h", 86_400: "24h", 60: "1m"}.get(
        seconds, f"{seconds}s" if seconds < 120 else "since"
    )
