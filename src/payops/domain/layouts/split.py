"""Each value under a key of its own, as plain text in any case (runbook 004, most home-grown)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from payops.domain.breaker import read_state
from payops.domain.layouts.layout import (
    Layout,
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

# Beside the state; what the programs that were read call them (STRIPE.md, runbook 004).
_BESIDE = {
    "failures": ("failures", "failure_count"),
    "opened_at": ("opened_at",),
    "last_failure": ("last_failure",),
}


_KEY = re.compile(r"((?:[\w.-]*:)*?(?:circuit[_-]?breakers?|circuits?|cb):([^:]+)):state")

# `PREFIX:VERSION:key`: Django's cache, a layout of its own.
_DJANGO = re.compile(r"[\w.-]*:[0-9]+:")


def read(values: Values) -> Stored:
    """Absent is closed (runbook 004)."""
    words = {part: text(value) for part, value in values.items()}
    failures = whole(words.get("failures"))
    times = {part: moment(words.get(part)) for part in ("opened_at", "last_failure")}
    return Stored(
        state=read_state(words.get("state")),
        raw_state=words.get("state"),
        failures=failures,
        opened_at=times["opened_at"],
        last_failure=times["last_failure"],
        odd=odd(values, {"failures": failures, **times}),
    )


def closed(values: Values) -> Written:
    """All keys go, as the runbook's own reset does: absent is closed."""
    return Written(dict.fromkeys(values))


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """The state for so long; the opening time such that half-open is due at its end."""
    at = f"{held_open(now, seconds, recovery_s):.3f}".encode()
    beside = {"opened_at": at} if "opened_at" in values else {}
    return Written({"state": b"open", **beside}, seconds)


def place(key: str) -> Place | None:
    """`circuit_breaker:stripe:state`: the keys beside it follow from that one."""
    return None if _DJANGO.match(key) else in_cache(key)


def in_cache(key: str) -> Place | None:
    """Likewise, whatever stands in front."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    stem, name = found.groups()
    parts = {part: f"{stem}:{words[0]}" for part, words in _BESIDE.items()}
    return Place(name, {"state": key, **parts})


def among(place: Place, keys: Collection[str]) -> Place:
    """The place with those of its parts' other names that are among `keys`."""
    stem = place.parts["state"].removesuffix(":state")
    named = {
        part: next((key for word in words if (key := f"{stem}:{word}") in keys), place.parts[part])
        for part, words in _BESIDE.items()
    }
    return replace(place, parts={**place.parts, **named})


LAYOUT = Layout(
    title="plain text, each value under a key of its own",
    read=read,
    closed=closed,
    opened=opened,
    globs=("*circuit*", "*breaker*", "cb*"),
    place=place,
    among=among,
)
