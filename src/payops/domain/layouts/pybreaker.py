"""pybreaker's Redis storage: state, fail_counter, success_counter, opened_at under
`[namespace:]pybreaker:`.

It turns half-open only with the next call, and its timeout is not in Redis: open and overdue may
only mean that nobody called. Without its state key it begins anew, closed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from payops.domain.layouts import split
from payops.domain.layouts.layout import Layout, Parts, Place, Values, Written, held_open

_COUNTERS = {"failures": "fail_counter", "successes": "success_counter"}


def named(base: str, counters: dict[str, str]) -> Callable[[str, str], Parts]:
    """The keys of a storage; its name is its namespace, empty where it has none."""

    def parts(name: str, namespace: str) -> Parts:
        stem = f"{namespace}:{base}" if namespace else base
        words = {"state": "state", "opened_at": "opened_at", **counters}
        return {part: f"{stem}:{word}" for part, word in words.items()}

    return parts


def found(base: str, parts: Callable[[str, str], Parts]) -> Callable[[str], Place | None]:
    """The storage that a state key belongs to."""

    def place(key: str) -> Place | None:
        stem = key.removesuffix(":state")
        if stem == key or not (stem == base or stem.endswith(f":{base}")):
            return None
        namespace = stem.removesuffix(base).removesuffix(":")
        return Place(namespace or base, parts(namespace, namespace))

    return place


def closed(values: Values) -> Written:
    """As its own `close()`: the state, and the counters at zero."""
    del values
    return Written({"state": b"closed", "failures": b"0", "successes": b"0"})


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """As its own `open()`, and a state that expires."""
    del values
    at = str(round(held_open(now, seconds, recovery_s))).encode()
    return Written({"state": b"open", "opened_at": at}, seconds)


_parts = named("pybreaker", _COUNTERS)
LAYOUT = Layout(
    title="pybreaker",
    read=split.read,
    closed=closed,
    opened=opened,
    parts=_parts,
    globs=("*breaker*",),
    place=found("pybreaker", _parts),
)
