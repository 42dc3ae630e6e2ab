"""Circuit breakers in Redis, in every layout that is known, read as they are.

Never through their own libraries: those write their keys as soon as they are asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.layouts import Place, Stored, Values, layouts

if TYPE_CHECKING:
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


def read_breakers(
    redis: RedisSource, places: Sequence[tuple[str, Place]]
) -> tuple[BreakerFound, ...]:
    """Each breaker of `(layout, place)`, in three round trips for all. Raises SourceError."""
    keys = list(dict.fromkeys(key for _, place in places for key in place.parts.values()))
    if not keys:
        return ()
    strings = redis.strings(keys)
    kinds = redis.types(keys)
    hashes = redis.hashes([key for key in keys if kinds[key] == "hash"], _MOST_FIELDS)
    ttls = redis.ttls(keys)
    as_of = redis.now()

    def value(key: str) -> bytes | None:
        if key in hashes:
            return json.dumps(_texts(hashes[key])).encode()
        if strings[key] is None and kinds[key] not in {"none", "string"}:
            return f"(a {kinds[key]}, not text)".encode()
        return strings[key]

    found = []
    for layout, place in places:
        values = {part: value(key) for part, key in place.parts.items()}
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


def _texts(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {
        name.decode("utf-8", "backslashreplace"): value.decode("utf-8", "backslashreplace")
        for name, value in fields.items()
    }


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
