"""One JSON text or hash for the whole breaker, at `circuit_breaker:{name}` or where it is named.

Home-grown, so its fields are known by the words that such programs use (BookedBarber's statistics
document among them). A hash is given here as the JSON object of its fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
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
    text,
    whole,
)
from payops.domain.layouts.purgatory import document

# A field's name in small letters without separators: what it means.
_WORDS = {
    "state": ("state", "status", "circuitstate"),
    "failures": ("failures", "failurecount", "failcount", "failcounter", "consecutivefailures"),
    "successes": ("successes", "successcount"),
    "opened_at": ("openedat", "opentime", "opensince", "statechangedtime", "statechangedat"),
    "last_failure": ("lastfailure", "lastfailuretime", "lastfailureat"),
    "due": ("nextattempt", "nextattempttime", "nextattemptat", "expiry", "openuntil"),
    "threshold": ("threshold", "failurethreshold"),
}


def fields(made: Mapping[str, Any]) -> dict[str, str]:
    """Meaning: the field that has it."""
    found: dict[str, str] = {}
    for name in made:
        plain = re.sub(r"[^a-z]", "", name.lower())
        for meaning, words in _WORDS.items():
            if plain in words:
                found.setdefault(meaning, name)
    return found


def read(values: Values) -> Stored:
    """Absent is closed, as of separate keys."""
    if values.get("state") is None:
        return Stored(read_state(None), None)
    made = document(values["state"])
    if made is None:
        return Stored(None, text(values["state"]))
    known = fields(made)
    said = {meaning: _said(made[name]) for meaning, name in known.items()}
    times = {part: moment(said.get(part)) for part in ("opened_at", "last_failure", "due")}
    counts = {part: whole(said.get(part)) for part in ("failures", "successes", "threshold")}
    strange = [
        known[part]
        for part, found in {**times, **counts}.items()
        if found is None and said.get(part) not in {None, "", "0", "0.0"}
    ]
    word = said.get("state")
    return Stored(
        state=None if word is None else read_state(word),
        raw_state="" if word is None else word,
        failures=counts["failures"],
        successes=counts["successes"],
        opened_at=times["opened_at"],
        last_failure=times["last_failure"],
        due=times["due"],
        threshold=counts["threshold"],
        odd=tuple(strange),
    )


def _said(value: object) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value)


def _changed(values: Values, **changes: object) -> Written:
    """The document with other values for the meanings that it has a field for, each as the kind of
    value that it is now."""
    made = document(values.get("state"))
    if made is None:
        return Written({"state": None})
    known = fields(made)
    texts = all(isinstance(value, str) for value in made.values())  # a hash has nothing else
    nothing = "" if texts else None
    new = {
        known[part]: nothing if to is None else _as(made[known[part]], to)
        for part, to in changes.items()
        if part in known
    }
    return Written({"state": json.dumps({**made, **new}).encode()})


def _as(before: object, to: object) -> object:
    """A word in the case that it has, a number as text where it is text."""
    if isinstance(before, str) and isinstance(to, str):
        return to.upper() if before.isupper() else to
    if isinstance(before, str):
        return str(to)
    return to


def closed(values: Values) -> Written:
    """Closed, with nothing counted."""
    return _changed(values, state="closed", failures=0, opened_at=None, due=None)


def opened(values: Values, now: datetime, seconds: int, recovery_s: float) -> Written:
    """Open until then."""
    at = round(held_open(now, seconds, recovery_s), 3)
    until = round((now + timedelta(seconds=seconds)).timestamp(), 3)
    return _changed(values, state="open", opened_at=at, due=until)


def parts(name: str, namespace: str) -> Parts:
    """The key of the breaker of that name."""
    stem = f"{namespace}:" if namespace else ""
    return {"state": f"{stem}circuit_breaker:{name}"}


def place(key: str) -> Place | None:
    """`circuit_breaker:stripe` and `cache:circuit_breaker:stripe:stats`; not a key that is one part
    of several (`circuit_breaker:stripe:state`)."""
    found = re.fullmatch(r"(?:[\w.-]+:)*circuit[_-]?breakers?:([^:]+)(?::stats)?", key)
    return Place(found[1], {"state": key}) if found else None


LAYOUT = Layout(
    title="one document",
    read=read,
    closed=closed,
    opened=opened,
    parts=parts,
    globs=("*circuit*",),
    place=place,
)
