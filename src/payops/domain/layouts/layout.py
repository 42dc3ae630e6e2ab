"""What a layout is: how a program keeps a circuit breaker in Redis.

A layout is one file of this folder, found by its name (`split.py` is `split`). It only reads and
writes values that it is given: what asks Redis is `payops.sources.breakers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from payops.domain.breaker import BreakerState

Parts = Mapping[str, str]
"""What a value is (`state`, `failures`, `opened_at`, …): the Redis key that holds it."""
Values = Mapping[str, bytes | None]
"""Part: its value as Redis has it; None is no such key."""


@dataclass(frozen=True)
class Place:
    """One breaker in Redis: its name, and the key of each part."""

    name: str
    parts: Parts


@dataclass(frozen=True)
class Stored:
    """What the stored values say. `state` is None for a word that is not understood, `raw_state`
    that word (None: nothing is stored). Times are aware UTC, None where absent or not understood.

    `due` is when it turns half-open, of a layout that stores it; `threshold` and `recovery_s` are
    the program's own, where it stores them. `odd` names values that were not understood.
    """

    state: BreakerState | None
    raw_state: str | None
    failures: int | None = None
    successes: int | None = None
    opened_at: datetime | None = None
    last_failure: datetime | None = None
    due: datetime | None = None
    threshold: int | None = None
    recovery_s: float | None = None
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """New values by part: None deletes the key. `expires_s` is the life of what is set, after which
    the program takes the breaker for closed; None leaves each TTL as it is."""

    values: Values
    expires_s: int | None = None


@dataclass(frozen=True)
class Layout:
    """How one kind of breaker is kept.

    `parts(name, namespace)` are the keys of a breaker of that name where the layout fixes them;
    None where the configuration must name them. `globs` are the keys that may be one's, as few and
    broad as can be shared with other layouts (each is one SCAN), and `place` tells from a key that
    was found which breaker it is of (None: of none); `among` settles its other keys by those that
    were found. `read` understands what is
    stored. `closed(values)` is what a reset writes, `opened(values, now, seconds, recovery_s)` what
    forces it open for so long. `busy` are parts whose presence means that the program is writing.
    """

    title: str
    read: Callable[[Values], Stored]
    closed: Callable[[Values], Written]
    opened: Callable[[Values, datetime, int, float], Written]
    parts: Callable[[str, str], Parts] | None = None
    globs: tuple[str, ...] = ()
    place: Callable[[str], Place | None] = lambda key: None
    among: Callable[[Place, Collection[str]], Place] = lambda place, keys: place
    busy: frozenset[str] = field(default_factory=frozenset)


def text(value: bytes | None) -> str | None:
    """A stored value as text; what is not UTF-8 is kept visible."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


def whole(written: str | None) -> int | None:
    """A count, None for what is none."""
    if written is None or not re.fullmatch(r"\s*[0-9]{1,15}\s*", written):
        return None
    return int(written)


# Before there were breakers: 0 is how programs write 'never', 20260211 a date.
_FIRST = datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)  # 1,000,000,000 s


def moment(written: str | None) -> datetime | None:
    """Epoch seconds, milli- or microseconds, or ISO text; None for what cannot be a time.

    >>> moment("1700000000.5"), moment("0"), moment("soon")
    (datetime.datetime(2023, 11, 14, 22, 13, 20, 500000, tzinfo=datetime.timezone.utc), None, None)
    """
    if written is None:
        return None
    written = written.strip().strip("\"'")
    try:
        number = float(written)
        for scale in (1, 1_000, 1_000_000):
            if _FIRST.timestamp() <= number / scale < 1e11:
                return datetime.fromtimestamp(number / scale, UTC)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(written)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found >= _FIRST else None


def odd(values: Values, understood: Mapping[str, object]) -> tuple[str, ...]:
    """The parts that are stored and were not understood."""
    return tuple(part for part, found in understood.items() if values.get(part) and found is None)


def held_open(now: datetime, seconds: int, recovery_s: float) -> float:
    """The opening time (epoch seconds) with which a program that turns half-open `recovery_s`
    later does so in `seconds`: ahead of the clock where that is later."""
    return now.timestamp() + seconds - recovery_s
