"""Durations and times as people type and read them: `24h`, `2026-02-11T09:30Z`, `3 h ago`."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from payops.domain.text import shortened

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d|w)")
_LONGEST = 64  # characters that are read as a duration or a time at all


def parse_duration(text: str) -> timedelta:
    """`90m`, `1h30m`, `7d`, `500ms`, or a plain number of seconds. Raises ValueError otherwise.

    >>> parse_duration("1h30m").total_seconds()
    5400.0
    """
    compact = text.strip().lower()
    if len(compact) > _LONGEST:
        raise ValueError(f"{shortened(text, _LONGEST)!r} is too long for a duration")
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", compact):
        seconds = float(compact)
    else:
        parts = _PART.findall(compact)
        if not parts or "".join(_PART.split(compact)[::3]).strip():
            raise ValueError(f"{text!r} is not a duration: write 90s, 30m, 24h, 7d or 1h30m")
        seconds = sum(
            float(number) * (0.001 if unit == "ms" else _UNITS[unit]) for number, unit in parts
        )
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than time itself") from error


def parse_moment(text: str, now: datetime) -> datetime:
    """A point in time, aware UTC: a duration counts back from `now`, else an ISO date or time.

    A date or time without a zone is UTC. A bare number is seconds, but one of eight digits is a
    date (`20260211`). Raises ValueError when it is neither.

    >>> now = datetime(2026, 2, 11, 12, tzinfo=UTC)
    >>> parse_moment("24h", now).isoformat()
    '2026-02-10T12:00:00+00:00'
    >>> parse_moment("2026-02-11T10:00+02:00", now).isoformat()
    '2026-02-11T08:00:00+00:00'
    """
    compact = text.strip().upper()
    if compact == "NOW":
        return _utc(now)
    try:
        if not re.fullmatch(r"[0-9]{8,}", compact):
            return _utc(now) - parse_duration(compact)
    except (ValueError, OverflowError):
        pass
    try:
        if not compact.isascii():
            raise ValueError
        return _utc(datetime.fromisoformat(compact))
    except (ValueError, OverflowError):
        raise ValueError(
            f"{shortened(text, _LONGEST)!r} is neither a duration (24h, 7d, 90m) nor an ISO time"
            " (2026-02-11T09:30Z)"
        ) from None


def _utc(moment: datetime) -> datetime:
    """`moment` in UTC. Without a zone it is UTC already, never the machine's local time."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def human_duration(seconds: float) -> str:
    """Two leading units at most: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`; below 1 s in ms.

    Infinite, or not a number: `an unknown time`.

    >>> human_duration(0.042), human_duration(59.6), human_duration(11100), human_duration(190000)
    ('42 ms', '60 s', '3 h 5 min', '2 d 4 h')
    """
    magnitude = abs(seconds)
    if not math.isfinite(seconds):
        return "an unknown time"
    if magnitude < 0.9995:
        return f"{round(seconds * 1000)} ms"
    whole = int(magnitude)
    if magnitude < 120:
        text = f"{round(magnitude)} s"
    elif whole < 3600:
        text = f"{whole // 60} min"
    elif whole < 86400:
        text = _two(whole // 3600, "h", whole % 3600 // 60, "min")
    else:
        text = _two(whole // 86400, "d", whole % 86400 // 3600, "h")
    return f"-{text}" if seconds < 0 else text


def human_span(seconds: float) -> str:
    """A window in words: `the last hour`, `the last 24 h`, `the last 90 min`.

    >>> human_span(3600), human_span(86400), human_span(600)
    ('the last hour', 'the last 24 h', 'the last 10 min')
    """
    if seconds == 3600:
        return "the last hour"
    if seconds <= 7200 and seconds % 60 == 0:
        return f"the last {round(seconds / 60)} min"
    if seconds <= 172800 and seconds % 3600 == 0:
        return f"the last {round(seconds / 3600)} h"
    return f"the last {human_duration(seconds)}"


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first} {first_unit} {second} {second_unit}" if second else f"{first} {first_unit}"


def ago(moment: datetime, now: datetime) -> str:
    """`12 min ago`, `just now`, or `in 3 min (clock differs?)` for a moment ahead of `now`."""
    seconds = (_utc(now) - _utc(moment)).total_seconds()
    if seconds < -1:
        return f"in {human_duration(-seconds)} (clock differs?)"
    return "just now" if seconds < 1 else f"{human_duration(seconds)} ago"


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC to the second, with a `Z`: `2026-02-11T09:30:00Z`. A naive time is UTC."""
    return _utc(moment).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
