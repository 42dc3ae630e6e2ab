"""Circuit breakers in Redis, in every layout that is known, read as they are.

Never through their own libraries: those write their keys as soon as they are asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.breaker import BreakerReading
from payops.domain.layouts import Place, Stored, Values, layouts

if TYPE_CHECKING:
    from payops.config.circuit import Breaker
    from payops.sources.redis import RedisSource

# Keys that may be breakers' at most; more is no shop's.
_MOST = 2_000
# Fields of a hash that are read; a breaker has a dozen.
_MOST_FIELDS = 100


@dataclass(frozen=True)
class BreakerFound:
    """One breaker as it is stored.

    `values` are by part, those of a hash as the JSON object of its fields; `kinds` what Redis says
    each key is, `ttls` seconds to live (None: for ever, or no key). `as_of` is the server's clock.
    """

    layout: str
    place: Place
    values: Values
    kinds: Mapping[str, str]
    ttls: Mapping[str, int | None]
    stored: Stored
    as_of: datetime

    @property
    def busy(self) -> bool:
        """Whether its program is writing it at this moment."""
        return any(self.values.get(part) is not None for part in layouts()[self.layout].busy)


def place_of(breaker: Breaker) -> tuple[str, Place]:
    """Layout and keys of a configured breaker."""
    layout = layouts()[breaker.layout]
    if breaker.keys is not None:
        named = {part: getattr(breaker.keys, part) for part in breaker.keys.__struct_fields__}
        return breaker.layout, Place(
            breaker.name, {part: key for part, key in named.items() if key}
        )
    if breaker.key:
        return breaker.layout, Place(breaker.name, {"state": breaker.key})
    assert layout.parts is not None  # noqa: S101  every layout without `keys` names its own
    parts = layout.parts(breaker.stored_name or breaker.name, breaker.namespace)
    return breaker.layout, Place(breaker.name, parts)


def reading(found: BreakerFound, breaker: Breaker | None = None) -> BreakerReading:
    """One breaker in payops' words. `breaker` is its configuration; one that was discovered has
    none, and the numbers of runbook 004 (5 failures in 60 s, half-open after 30 s)."""
    stored = found.stored
    keys = tuple(
        key for part, key in found.place.parts.items() if found.values.get(part) is not None
    )
    ttls = {key: found.ttls[part] for part, key in found.place.parts.items() if key in keys}
    return BreakerReading(
        name=breaker.name if breaker else found.place.name,
        state=stored.state,
        raw_state=stored.raw_state,
        failures=stored.failures,
        failure_threshold=stored.threshold or (breaker.failure_threshold if breaker else 5),
        opened_at=stored.opened_at,
        last_failure=stored.last_failure,
        recovery_s=_or(stored.recovery_s, breaker.recovery if breaker else 30.0),
        window_s=breaker.window if breaker else 60.0,
        layout=found.layout,
        successes=stored.successes,
        due_at=stored.due,
        keys=keys,
        ttls=ttls,
        computed=breaker.half_open == "computed" if breaker else found.layout == "django",
        odd=stored.odd,
        busy=found.busy,
    )


def _or(told: float | None, otherwise: float) -> float:
    return otherwise if told is None else told


def read_breakers(
    redis: RedisSource, places: Sequence[tuple[str, Place]]
) -> tuple[BreakerFound, ...]:
    """Each breaker of `(layout, place)`, in a few round trips for all. Raises SourceError."""
    keys = list(dict.fromkeys(key for _, place in places for key in place.parts.values()))
    if not keys:
        return ()
    strings = redis.strings(keys)
    kinds = redis.types(keys)
    hashes = redis.hashes([key for key in keys if kinds[key] == "hash"], _MOST_FIELDS)
    ttls = redis.ttls(keys)
    as_of = redis.now()

    def value(key: str, layout: str) -> bytes | None:
        if key in hashes and layout == "document":
            return hash_text(hashes[key]).encode()
        if strings[key] is None and kinds[key] not in {"none", "string"}:
            return f"(a {kinds[key]}, not text)".encode()
        return strings[key]

    found = []
    for layout, place in places:
        values = {part: value(key, layout) for part, key in place.parts.items()}
        found.append(
            BreakerFound(
                layout,
                place,
                values,
                {part: kinds[key] for part, key in place.parts.items()},
                {part: ttls[key] for part, key in place.parts.items()},
                layouts()[layout].read(values),
                as_of,
            )
        )
    return tuple(found)


def hash_text(fields: Mapping[bytes, bytes]) -> str:
    """A hash as the JSON object of its fields, in their order: what is read is what is compared."""
    texts = {
        name.decode("utf-8", "backslashreplace"): value.decode("utf-8", "backslashreplace")
        for name, value in fields.items()
    }
    return json.dumps(texts)


def discover(redis: RedisSource) -> tuple[tuple[tuple[str, Place], ...], bool]:
    """Breakers that nobody named: `(layout, place)` each, and whether every key was looked at.

    SCAN only, once for each glob that layouts share, within half of the time that is left. Of two
    layouts that claim one key the first by name has it. Raises SourceError.
    """
    globs = sorted({glob for layout in layouts().values() for glob in layout.globs})
    keys: set[str] = set()
    complete = True
    for glob in globs:
        found, whole = redis.scan(glob, _MOST)
        keys.update(found)
        complete = complete and whole
    places: dict[str, tuple[str, Place]] = {}
    for name, layout in layouts().items():
        for key in sorted(keys):
            place = layout.place(key)
            if place is not None:
                places.setdefault(place.parts["state"], (name, layout.among(place, keys)))
    return tuple(places.values()), complete
