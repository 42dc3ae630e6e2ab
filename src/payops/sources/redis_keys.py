"""Redis keys by which an application knows an event that it has had: read exactly, and cleared.

The only place that deletes such a key. A key is told from the one that a handler sets again
by the moment at which it expires: that lies later, however equal the value is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from payops.sources.redis import RedisSource

if TYPE_CHECKING:
    import redis

_BATCH = 500
# Two readings of one key's expiry differ by the time between TIME and PTTL on the server.
TOLERANCE_MS = 50
OTHER = "(no string)"
"""In place of the hash of a value: a set, a list. Such a key is not compared, and never cleared."""
# In one step of the server's, so that a handler cannot come between looking and deleting.
_CLEAR = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then return 0 end
local now = redis.call('TIME')
local expires = now[1] * 1000 + math.floor(now[2] / 1000) + left
if math.abs(expires - tonumber(ARGV[2])) > tonumber(ARGV[3]) then return 0 end
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True)
class Mark:
    """A key as it is: a short hash of its value (`OTHER` for one that is no string), and when it
    expires in ms of the epoch by the server's clock; None is never."""

    value: str
    expires_ms: int | None

    def same_as(self, other: Mark) -> bool:
        """Whether it is the very key, not one of the same value that was set later."""
        if self.expires_ms is None or other.expires_ms is None:
            return self == other
        near = abs(self.expires_ms - other.expires_ms) <= TOLERANCE_MS
        return near and self.value == other.value


class EventKeys(RedisSource):
    """Reads marks, and clears one by compare-and-delete. Raises SourceError, as its base does."""

    def marks(self, keys: Sequence[str]) -> dict[str, Mark | None]:
        """Each key as it is; None for one that is not there."""
        found: dict[str, Mark | None] = {}
        for at in range(0, len(keys), _BATCH):
            batch = list(keys[at : at + _BATCH])
            (seconds, micros), *rest = self._ask(_reading(batch))
            now = int(seconds) * 1000 + int(micros) // 1000
            for key, value, left in zip(batch, rest[::2], rest[1::2], strict=True):
                expires = now + int(left) if left >= 0 else None
                found[key] = None if value is None else Mark(_told(value), expires)
        return found

    def clear(self, key: str, seen: Mark) -> bool:
        """Delete the key if it is still the one that was seen; whether it was."""
        if seen.expires_ms is None:
            return False
        expires = seen.expires_ms

        def ask(client: redis.Redis) -> Any:
            if client.type(key) != b"string":
                return 0
            value = client.get(key)
            if not isinstance(value, bytes) or _short(value) != seen.value:
                return 0
            return client.eval(_CLEAR, 1, key, value, str(expires), str(TOLERANCE_MS))

        return bool(self._ask(ask))

    def length(self, key: str) -> int:
        """How many wait in a list; 0 when there is none."""

        def ask(client: redis.Redis) -> Any:
            return client.llen(key)

        return int(self._ask(ask))


def _reading(keys: Sequence[str]) -> Any:
    """TIME, and value and life of each key, in one transaction: all of one moment."""

    def ask(client: redis.Redis) -> list[Any]:
        with client.pipeline(transaction=True) as pipeline:
            pipeline.time()
            for key in keys:
                pipeline.get(key)
                pipeline.pttl(key)
            # A key that is no string hides no other: it says so in its place.
            answers = list(pipeline.execute(raise_on_error=False))
        for answer in answers:
            if isinstance(answer, Exception) and not _no_text(answer):
                raise answer
        return answers

    return ask


def _told(value: Any) -> str:
    return OTHER if isinstance(value, Exception) else _short(value)


def _no_text(answer: Any) -> bool:
    return str(answer).startswith("WRONGTYPE")


def _short(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:16]
