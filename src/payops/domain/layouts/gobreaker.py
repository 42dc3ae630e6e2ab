"""gobreaker v2's shared state: `gobreaker:state:{name}` (JSON) and `gobreaker:mutex:{name}`.

`state` is 0 closed, 1 half-open, 2 open; `expiry` of an open one is when it turns half-open, and
`counts` are those of the current generation. A process that writes holds the mutex.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from payops.domain.breaker import BreakerState
from payops.domain.layouts.layout import Layout, Parts, Place, Stored, Values, Written, moment, text
from payops.domain.layouts.purgatory import document, number

_STATE, _MUTEX = "gobreaker:state:", "gobreaker:mutex:"
_STATES = {0: BreakerState.CLOSED, 1: BreakerState.HALF_OPEN, 2: BreakerState.OPEN}
_NEVER = "0001-01-01T00:00:00Z"  # Go's zero time
_NO_COUNTS = dict.fromkeys(
    (
        "Requests",
        "TotalSuccesses",
        "TotalFailures",
        "ConsecutiveSuccesses",
        "ConsecutiveFailures",
    ),
    0,
)


def read(values: Values) -> Stored:
    """No document is a breaker that was never used: closed."""
    if values.get("state") is None:
        return Stored(BreakerState.CLOSED, None)
    made = document(values["state"])
    state = number(made.get("state")) if made is not None else None
    if made is None or state is None:
        return Stored(None, text(values["state"]))
    counts = made.get("counts")
    found = counts if isinstance(counts, dict) else {}
    failures, successes = (
        number(found.get(name)) for name in ("ConsecutiveFailures", "ConsecutiveSuccesses")
    )
    return Stored(
        state=_STATES.get(int(state)) if state.is_integer() else None,
        raw_state=f"{state:g}",
        failures=None if failures is None else int(failures),
        successes=None if successes is None else int(successes),
        due=moment(_to_micros(made.get("expiry"))) if state == 2 else None,
    )


def _to_micros(written: object) -> str | None:
    """Go writes nanoseconds, which Python's ISO reader does not take."""
    if not isinstance(written, str):
        return None
    return re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", written)


def _next(values: Values, **changes: object) -> bytes | None:
    """The document with another state: a new generation, in which nothing was counted."""
    made: dict[str, Any] | None = document(values.get("state"))
    if made is None:
        return None
    generation = number(made.get("generation")) or 0
    return json.dumps(
        {**made, "generation": int(generation) + 1, "counts": _NO_COUNTS, **changes}
    ).encode()


def closed(values: Values) -> Written:
    """Closed, in a new generation."""
    return Written({"state": _next(values, state=0, expiry=_NEVER)})


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """Open until then, in a new generation."""
    del recovery_s
    until = (now.astimezone(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return Written({"state": _next(values, state=2, expiry=until)})


def parts(name: str, namespace: str) -> Parts:
    """The keys of the breaker of that name; a store may put a namespace before both."""
    stem = f"{namespace}:" if namespace else ""
    return {"state": f"{stem}{_STATE}{name}", "mutex": f"{stem}{_MUTEX}{name}"}


def place(key: str) -> Place | None:
    """`gobreaker:state:stripe`, also behind a namespace."""
    before, found, name = key.partition(_STATE)
    if not found or not name or (before and not before.endswith(":")):
        return None
    return Place(name, parts(name, before.removesuffix(":")))


LAYOUT = Layout(
    title="gobreaker",
    read=read,
    closed=closed,
    opened=opened,
    parts=parts,
    globs=("*breaker*",),
    place=place,
    busy=frozenset({"mutex"}),
)
