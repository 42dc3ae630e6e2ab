"""aiobreaker's Redis storage: `[namespace:]aiobreaker:{state,fail_counter,opened_at}`.

Its states are in capitals (OPEN, CLOSED, HALF_OPEN); else it is as pybreaker, which it comes from.
"""

from __future__ import annotations

from datetime import datetime

from payops.domain.layouts import split
from payops.domain.layouts.layout import Layout, Values, Written, held_open
from payops.domain.layouts.pybreaker import found, named


def closed(values: Values) -> Written:
    """The state, and the counter at zero."""
    del values
    return Written({"state": b"CLOSED", "failures": b"0"})


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """The state, which expires, and the time of opening."""
    del values
    at = str(round(held_open(now, seconds, recovery_s))).encode()
    return Written({"state": b"OPEN", "opened_at": at}, seconds)


_parts = named("aiobreaker", {"failures": "fail_counter"})
LAYOUT = Layout(
    title="aiobreaker",
    read=split.read,
    closed=closed,
    opened=opened,
    parts=_parts,
    globs=("*breaker*",),
    place=found("aiobreaker", _parts),
)
