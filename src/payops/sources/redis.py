"""Redis, read only, through redis-py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from payops.errors import Failure, SourceError
from payops.sources import clock
from payops.sources.bounded import CutOffError, bounded
from payops.sources.once import Once

if TYPE_CHECKING:
    import redis

    from payops.config.sources import RedisSettings
    from payops.domain.deadline import Deadline

T = TypeVar("T")

# Connections at once at most; most runs need one or two.
_MOST = 4
# SCAN looks at about COUNT keys a step and blocks the server meanwhile: well under 1 ms.
_COUNT = 500
# What reads one number and changes nothing, in constant time.
READS = frozenset("GET LLEN SCARD ZCARD HLEN TTL STRLEN EXISTS DBSIZE".split())
LONGEST = 64 * 1024
"""Bytes of a value that is read: a breaker, a counter, a mark have a few hundred."""
# Steps of one scan at most: a million keys looked at.
_STEPS = 2000


@dataclass(frozen=True)
class Follower:
    """A replica of this server; `behind` in bytes of the replication stream."""

    address: str
    online: bool
    behind: int


@dataclass(frozen=True)
class RedisFacts:
    """`INFO`, as far as it matters.

    Sizes in bytes; `maxmemory` 0 is no limit. `role` is `master` or `slave`; `link_up` only of a
    replica (None on a master). A field that this server does not send is None. `latency_ms` is
    one round trip of `INFO`. `unsaved_changes` came since the last snapshot, which was `saved_s`
    seconds ago, as long as the server has run at most. `link_down_s` is how long a replica has
    been cut off.
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
    total_system_memory: int = 0
    maxclients: int | None = None
    aof_enabled: bool | None = None
    aof_last_rewrite_ok: bool | None = None
    unsaved_changes: int = 0
    saved_s: float | None = None
    link_down_s: float | None = None
    replicas: tuple[Follower, ...] = ()


class RedisSource:
    """Asks Redis with read commands only; safe to share between threads.

    Nothing but AUTH and SELECT is sent on connecting, so that a user whose ACL allows little can
    be used. Nothing is retried.
    """

    def __init__(self, settings: RedisSettings, deadline: Deadline) -> None:
        import redis

        from payops.sources.redis_errors import Server

        self._redis = redis
        self._settings = settings
        self._deadline = deadline
        self._server = Server(settings.url.reveal())
        self._idle: list[redis.Redis] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_MOST)
        self._once = Once()

    def facts(self) -> RedisFacts:
        """State of the server. Raises SourceError."""

        def ask(client: redis.Redis) -> tuple[Mapping[str, Any], float]:
            client.info("server")  # connects; its time is not the server's latency
            began = time.monotonic()
            told: Any = client.info()
            return told, (time.monotonic() - began) * 1000

        told, latency_ms = self._ask(ask)
        return _facts(told, latency_ms)

    def state(self) -> RedisFacts:
        """As `facts`, asked once a run. Raises SourceError."""
        return self._once("state", self.facts)

    def once(self, key: str, ask: Callable[[], T]) -> T:
        """The answer of the first `ask` under this key in this run, or its SourceError."""
        return self._once(key, ask)

    def setting(self, name: str) -> str | None:
        """`CONFIG GET`; None where this user or this service does not allow it."""

        def ask(client: redis.Redis) -> Any:
            return client.config_get(name)

        try:
            told = self._ask(ask)
        except SourceError as error:
            if error.does_not_answer:
                raise
            return None
        found = {_text(key): _text(value) for key, value in told.items()}
        return found.get(name)

    def several(self, commands: Sequence[tuple[str | int, ...]]) -> list[Any]:
        """Answers of read commands, sent at once; one that failed answers with its exception.

        Raises SourceError when Redis itself does not answer.
        """
        if not commands:
            return []

        def ask(client: redis.Redis) -> list[Any]:
            with client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
                return list(pipeline.execute(raise_on_error=False))

        return self._ask(ask)

    def strings(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """Values of string keys in one `MGET`; None for a key that is absent or no string.

        One longer than 64 kB (a value may have 512 MB) stays where it is: in its place stands how
        long it is.
        """
        if not keys:
            return {}

        def ask(client: redis.Redis) -> dict[str, bytes | None]:
            lengths = dict(zip(keys, _lengths(client, keys), strict=True))
            short = [key for key in keys if lengths[key] <= LONGEST]
            values: Any = client.mget(short) if short else []
            read = dict(zip(short, values, strict=True))
            return {key: read[key] if key in read else _too_long(lengths[key]) for key in keys}

        return self._ask(ask)

    def types(self, keys: Sequence[str]) -> dict[str, str]:
        """What each key holds: `string`, `list`, `hash`, …; `none` for one that does not exist."""
        if not keys:
            return {}

        def ask(client: redis.Redis) -> list[Any]:
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.type(key)
                return list(pipeline.execute())

        kinds = (bytes(kind).decode("utf-8", "replace") for kind in self._ask(ask))
        return dict(zip(keys, kinds, strict=True))

    def hashes(self, keys: Sequence[str], most: int) -> dict[str, dict[bytes, bytes]]:
        """Fields of hashes, of each as many as one step of HSCAN gives: `most` or a little more; a
        key that is no hash is left out."""
        if not keys:
            return {}

        def ask(client: redis.Redis) -> list[Any]:
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.hscan(key, 0, count=most)
                return list(pipeline.execute(raise_on_error=False))

        answers = zip(keys, self._ask(ask), strict=True)
        return {
            key: dict(answer[1]) for key, answer in answers if not isinstance(answer, Exception)
        }

    def ttls(self, keys: Sequence[str]) -> dict[str, int | None]:
        """Seconds that each key has left to live; None when it has no TTL or does not exist."""
        if not keys:
            return {}

        def ask(client: redis.Redis) -> list[Any]:
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.ttl(key)
                return list(pipeline.execute())

        # TTL answers -1 for a key without one and -2 for no key
        left = (seconds if seconds >= 0 else None for seconds in self._ask(ask))
        return dict(zip(keys, left, strict=True))

    def expiries(self, keys: Sequence[str]) -> dict[str, datetime | None]:
        """When each key expires, by the server's clock; None when it never does or does not exist.

        Clock and lives are read in one step, so that asking again gives the same, but for a
        millisecond or two.
        """
        if not keys:
            return {}

        def ask(client: redis.Redis) -> list[Any]:
            with client.pipeline(transaction=True) as pipeline:
                pipeline.time()
                for key in keys:
                    pipeline.pttl(key)
                return list(pipeline.execute())

        (seconds, micros), *left = self._ask(ask)
        now = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
        lives = (now + timedelta(milliseconds=life) if life >= 0 else None for life in left)
        return dict(zip(keys, lives, strict=True))

    def answer(self, command: str, *keys: str) -> int | bytes | None:
        """The answer of one of the commands that read a number (`READS`); None for a GET of no key,
        words for a value that is too long to be one.

        Raises SourceError, REJECTED for a key of another type.
        """
        if command not in READS:
            raise ValueError(f"{command} is none of the commands that only read")

        def ask(client: redis.Redis) -> Any:
            if command == "GET" and (length := _lengths(client, keys)[0]) > LONGEST:
                return _too_long(length)
            return client.execute_command(command, *keys)  # type: ignore[no-untyped-call]

        return cast("int | bytes | None", self._ask(ask))

    def scan(self, pattern: str, at_most: int) -> tuple[list[str], bool]:
        """Keys that match a glob, sorted, each once, and whether these are all of them.

        `SCAN` only, never `KEYS`; it stops at `at_most` keys, after a million keys looked at, or
        when half of the remaining time is gone.
        """
        end = time.monotonic() + self._deadline.remaining / 2
        found: set[str] = set()
        cursor = 0
        for _ in range(_STEPS):
            cursor, keys = self._ask(_scan_step(cursor, pattern))
            found.update(key.decode("utf-8", "backslashreplace") for key in keys)
            if cursor == 0 or len(found) > at_most or time.monotonic() > end:
                break
        return sorted(found)[:at_most], cursor == 0 and len(found) <= at_most

    @property
    def cli(self) -> str:
        """The `redis-cli` command line that asks this server and database."""
        return self._server.cli

    def now(self) -> datetime:
        """The server's clock (`TIME`), aware UTC."""

        def ask(client: redis.Redis) -> Any:
            return client.time()

        seconds, microseconds = self._ask(ask)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for client in idle:
            with suppress(Exception):  # going anyway
                client.close()

    def _ask(self, ask: Callable[[redis.Redis], T]) -> T:
        """Run one question on a connection of its own, within the timeout."""
        from payops.sources.redis_errors import failure, translate

        seconds = self._deadline.within(self._settings.timeout)
        if not self._slots.acquire(timeout=seconds):
            said = f"payops' own {_MOST} connections stayed busy for {seconds:.1f} s"
            raise failure(Failure.TIMED_OUT, said, self._server)
        try:
            client = self._client()
            try:
                answer = bounded(seconds, lambda: ask(client), cut=lambda: _hang_up(client))
            except BaseException:
                # Given up or in an unknown state: never used again.
                with suppress(Exception):
                    client.close()
                raise
            with self._lock:
                self._idle.append(client)
            return answer
        except CutOffError as error:
            raise failure(Failure.TIMED_OUT, str(error), self._server) from error
        except (
            self._redis.RedisError,
            OSError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
        ) as error:
            raise translate(error, self._server) from error
        finally:
            self._slots.release()

    def _client(self) -> redis.Redis:
        """An idle client, or a new one; each has one connection, made when it is first used."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        url, seconds = self._settings.url.reveal(), float(self._settings.timeout)
        options: dict[str, Any] = {}
        if url.startswith("rediss:"):
            options = {"ssl_ca_certs": self._settings.ca_file} if self._settings.ca_file else {}
            if "ssl_cert_reqs=" not in url:
                options["ssl_check_hostname"] = True  # redis-py 5 took any name for the right one
        if hasattr(self._redis, "DriverInfo"):
            options["driver_info"] = None
        else:  # before redis-py 7
            options |= {"lib_name": None, "lib_version": None}
        try:
            client: redis.Redis = self._redis.Redis.from_url(
                url,
                protocol=2,
                max_connections=1,
                socket_timeout=seconds,
                socket_connect_timeout=seconds,
                retry=_no_retry(),
                retry_on_error=[],
                health_check_interval=0,
                **options,
            )
        except (ValueError, TypeError) as error:
            from payops.sources.redis_errors import failure

            said = "redis.url cannot be read"
            raise failure(Failure.REJECTED, said, self._server) from error
        return client


def _no_retry() -> Any:
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Retry(NoBackoff(), 0)


def _hang_up(client: redis.Redis) -> None:
    client.connection_pool.disconnect(inuse_connections=True)


def _lengths(client: redis.Redis, keys: Sequence[str]) -> list[int]:
    """Bytes of each string; 0 of what is none, or where this user may not ask."""
    from redis.exceptions import NoPermissionError

    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.strlen(key)
        answers = pipeline.execute(raise_on_error=False)
    for answer in answers:
        refused = isinstance(answer, NoPermissionError) or str(answer).startswith("WRONGTYPE")
        if isinstance(answer, Exception) and not refused:
            raise answer
    return [answer if isinstance(answer, int) else 0 for answer in answers]


def _too_long(length: int) -> bytes:
    return b"(%d bytes, too long to be read)" % length


def _scan_step(cursor: int, pattern: str) -> Callable[[redis.Redis], tuple[int, list[bytes]]]:
    def ask(client: redis.Redis) -> Any:
        return client.scan(cursor, match=pattern, count=_COUNT)

    return ask


def _facts(told: Mapping[str, Any], latency_ms: float) -> RedisFacts:
    def ok(field: str) -> bool | None:
        return None if field not in told else told[field] == "ok"

    role = str(told.get("role", ""))
    return RedisFacts(
        version=str(told.get("redis_version", "")),
        role=role,
        used_memory=int(told.get("used_memory", 0)),
        maxmemory=int(told["maxmemory"]) if "maxmemory" in told else None,
        maxmemory_policy=str(told.get("maxmemory_policy", "")),
        evicted_keys=int(told.get("evicted_keys", 0)),
        rejected_connections=int(told.get("rejected_connections", 0)),
        connected_clients=int(told.get("connected_clients", 0)),
        uptime_s=int(told.get("uptime_in_seconds", 0)),
        loading=bool(told.get("loading", 0)),
        rdb_last_bgsave_ok=ok("rdb_last_bgsave_status"),
        aof_last_write_ok=ok("aof_last_write_status"),
        link_up=told.get("master_link_status") == "up" if role == "slave" else None,
        latency_ms=latency_ms,
        as_of=clock.now(),
        total_system_memory=int(told.get("total_system_memory", 0)),
        maxclients=int(told["maxclients"]) if "maxclients" in told else None,
        aof_enabled=bool(told["aof_enabled"]) if "aof_enabled" in told else None,
        aof_last_rewrite_ok=ok("aof_last_bgrewrite_status"),
        unsaved_changes=int(told.get("rdb_changes_since_last_save", 0)),
        saved_s=_ago(told.get("rdb_last_save_time")),
        link_down_s=_down(told.get("master_link_down_since_seconds")),
        replicas=_followers(told),
    )


def _ago(epoch: Any) -> float | None:
    """Seconds since a time of the server's; its clock and ours may differ."""
    return max(0.0, clock.now().timestamp() - float(epoch)) if epoch else None


def _down(seconds: Any) -> float | None:
    return None if seconds is None or float(seconds) < 0 else float(seconds)


def _followers(told: Mapping[str, Any]) -> tuple[Follower, ...]:
    """`slave0:ip=…,port=…,state=online,offset=…`, which redis-py makes a mapping of."""
    reached = int(told.get("master_repl_offset", 0))
    found = []
    for name, one in told.items():
        if name.startswith("slave") and name[5:].isdigit() and isinstance(one, Mapping):
            address = f"{one.get('ip', '')}:{one.get('port', '')}"
            behind = max(0, reached - int(one.get("offset", reached)))
            found.append(Follower(address, one.get("state") == "online", behind))
    return tuple(found)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
