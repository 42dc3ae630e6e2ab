"""purgatory's Redis repository: `cbr::{name}` (JSON) and `cbr::{name}::failure_count`.

Its document has `name`, `threshold`, `ttl` (seconds until half-opened), `state` (closed, opened,
half-opened) and `opened_at` (epoch seconds).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from payops.domain.breaker import read_state
from payops.domain.layouts.layout import (
    Layout,
    Parts,
    Place,
    Stored,
    Values,
    Written,
    held_open,
    moment,
    odd,
    text,
    whole,
)

_PREFIX = "cbr::"
_COUNT = "::failure_count"


def document(value: bytes | None) -> dict[str, Any] | None:
    """A JSON object; None for what is none."""
    try:
        made = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    return made if isinstance(made, dict) else None


def number(found: object) -> float | None:
    """A JSON number that is no truth value."""
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def read(values: Values) -> Stored:
    """No document is a breaker that was never used: closed."""
    if values.get("state") is None:
        return Stored(read_state(None), None, whole(text(values.get("failures"))))
    made = document(values["state"])
    if made is None:
        return Stored(None, text(values["state"]))
    word = made.get("state")
    threshold = number(made.get("threshold"))
    failures = whole(text(values.get("failures")))
    at = made.get("opened_at")
    return Stored(
        state=read_state(word) if isinstance(word, str) else None,
        raw_state=word if isinstance(word, str) else json.dumps(word),
        failures=failures,
        opened_at=moment(str(at)) if at is not None else None,
        threshold=None if threshold is None else int(threshold),
        recovery_s=number(made.get("ttl")),
        odd=odd(values, {"failures": failures}),
    )


def _changed(values: Values, **changes: object) -> bytes | None:
    made = document(values.get("state"))
    return None if made is None else json.dumps({**made, **changes}).encode()


def closed(values: Values) -> Written:
    """The document as it is but closed, and the counter at zero."""
    return Written({"state": _changed(values, state="closed", opened_at=None), "failures": b"0"})


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """Opened such that half-opened is due after so long: its document has no life of its own."""
    stored = read(values)
    recovery = recovery_s if stored.recovery_s is None else stored.recovery_s
    at = held_open(now, seconds, recovery)
    return Written({"state": _changed(values, state="opened", opened_at=at)})


def parts(name: str, namespace: str) -> Parts:
    """The keys of the breaker of that name."""
    del namespace
    return {"state": f"{_PREFIX}{name}", "failures": f"{_PREFIX}{name}{_COUNT}"}


def place(key: str) -> Place | None:
    """`cbr::stripe`; the counter beside it is none of its own."""
    name = key.removeprefix(_PREFIX)
    if name in {key, ""} or key.endswith(_COUNT):
        return None
    return Place(name, parts(name, ""))


LAYOUT = Layout(
    title="purgatory",
    read=read,
    closed=closed,
    opened=opened,
    parts=parts,
    globs=("cb*",),
    place=place,
)
