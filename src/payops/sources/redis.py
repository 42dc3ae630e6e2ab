"""Redis, read only, through redis-py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.config.settings import RedisSettings
    from payops.domain.deadline import Deadline


@dataclass(frozen=True)
class RedisFacts:
    """`INFO`, as far as it matters.

    Sizes in bytes; `maxmemory` 0 is no limit. `role` is `master` or `slave`; `link_up` only of a
    replica (None on a master). A field that this server does not send is None. `latency_ms` is
    one round trip of `INFO`.
    """

    version: str
    role: str
    used_memory: int
    maxmemory: int | None
    maxmemory_policy: str
    evicted_keys: int
    rejected_connections: int
    connected_clients: int
    uptime_s: int
    loading: bool
    rdb_last_bgsave_ok: bool | None
    aof_last_write_ok: bool | None
    link_up: bool | None
    latency_ms: float
    as_of: datetime


class RedisSource:
    """Asks Redis with read commands only."""

    def __init__(self, settings: RedisSettings, deadline: Deadline) -> None:
        raise NotImplementedError

    def facts(self) -> RedisFacts:
        """State of the server. Raises SourceError."""
        raise NotImplementedError

    def strings(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """Values of string keys in one `MGET`; None for a key that is absent or no string."""
        raise NotImplementedError

    def ttls(self, keys: Sequence[str]) -> dict[str, int | None]:
        """Seconds that each key has left to live; None when it has no TTL or does not exist."""
        raise NotImplementedError

    def scan(self, pattern: str, at_most: int) -> tuple[list[str], bool]:
        """Keys that match a glob, sorted, each once, and whether these are all of them.

        `SCAN` only, never `KEYS`; it stops at `at_most` keys or after a bounded number of steps.
        """
        raise NotImplementedError

    def now(self) -> datetime:
        """The server's clock (`TIME`), aware UTC."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
