"""Separate keys through Django's cache (DebtFlow as it really is).

Keys begin with the cache's prefix and version (`:1:`), integers are plain text and all else is
pickled. `half_open` is computed by the program, and never stored.
"""

from __future__ import annotations

import pickle
import re
from datetime import datetime

from payops.domain.layouts import split
from payops.domain.layouts.layout import (
    Layout,
    Place,
    Stored,
    Values,
    Written,
    held_open,
)
from payops.domain.pickled import is_pickle, read_scalar

_KEY = re.compile(r"[\w.-]*:[0-9]+:.*")
_PROTOCOL = 5  # what Django's cache writes


def _plain(value: bytes | None) -> bytes | None:
    """The text that a pickled scalar is; what is none stays as it is, and is not understood."""
    if value is None or not is_pickle(value):
        return value
    try:
        return str(read_scalar(value)).encode("utf-8", "backslashreplace")
    except ValueError:
        return value


def read(values: Values) -> Stored:
    """As separate keys are read, once each value is plain."""
    return split.read({part: _plain(value) for part, value in values.items()})


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """As separate keys, pickled as Django does."""
    at = pickle.dumps(held_open(now, seconds, recovery_s), protocol=_PROTOCOL)
    state = pickle.dumps("open", protocol=_PROTOCOL)
    return Written(
        {"state": state, **({"opened_at": at} if "opened_at" in values else {})}, seconds
    )


def place(key: str) -> Place | None:
    """`:1:circuit_breaker:stripe:state`, the prefix with the version before it."""
    found = _KEY.fullmatch(key)
    return split.in_cache(key) if found else None


LAYOUT = Layout(
    title="Django's cache, each value under a key of its own",
    read=read,
    closed=split.closed,
    opened=opened,
    globs=("*circuit*", "*breaker*"),
    place=place,
    among=split.among,
)
