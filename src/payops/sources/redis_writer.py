"""The only place that changes Redis keys other than those of events: one compare-and-set each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payops.domain.plan import Change, Values
from payops.domain.plan_outcome import Outcome, Result, Words, difference, same
from payops.domain.plan_redis import CLEAR, as_bytes, as_text, keys_of, life, statement_of
from payops.errors import RefusedError, SourceError
from payops.sources.breakers import hash_text
from payops.sources.redis import RedisSource

if TYPE_CHECKING:
    import redis

_CHANGED = "changed in this very moment"
_MOST_FIELDS = 100


class RedisWriter(RedisSource):
    """Applies changes of keys (`payops.domain.plan_redis`), as the applier's writer.

    A change is one transaction under WATCH: every key is as the plan saw it, or nothing is set.
    """

    words = Words(
        as_before="the keys are as they were before",
        not_known="interrupted before anybody could tell, and the keys are others now",
        away="Redis went away",
        stays=False,
    )

    def fingerprint(self) -> tuple[str, str]:
        """What tells this Redis from every other, and its database's name.

        The replication id is its history's: a copy has the same, another server another one. One
        that restarts without its memory gets a new one, and a plan for what it was is refused.
        """

        def ask(client: redis.Redis) -> Any:
            return client.info("replication"), client.connection_pool.connection_kwargs.get("db", 0)

        told, number = self._ask(ask)
        made = f"{told.get('master_replid', '')}/{number}"
        return hashlib.sha256(made.encode()).hexdigest()[:16], f"db {number}"

    # What the applier asks of a writer

    def take_lock(self) -> None:
        """Nothing to take: whoever comes second finds the keys changed."""

    def still_locked(self) -> None:
        """Nothing is held."""

    def hindrance(self) -> str:
        """Nothing holds it back."""
        return ""

    def ended(self, number: int) -> str:
        """Redis remembers no transaction: the keys are looked at."""
        del number
        return ""

    def reconnect(self) -> None:
        """Each question has a connection of its own."""

    def look(self, change: Change) -> Outcome:
        """What applying it would meet."""
        if change.remedy == CLEAR:
            (key, seen), *_ = change.before.items()
            now = self.holds([key]).get(key)
            if now is None:
                return Outcome(Result.ALREADY, "it is gone already", now={key: None})
            fresh = "it was written anew since: what it holds is fresh"
            return Outcome(Result.WOULD) if now == seen else Outcome(Result.REFUSED, fresh)
        return _against(change, self._now(keys_of(change.before)))

    def apply(
        self, change: Change, ready: Callable[[int], None], *, dry_run: bool = False
    ) -> Outcome:
        """Set what the plan says, where all is as it saw. `ready` is called before."""
        if statement_of(change) != change.statement:
            why = "the plan's text is not what its keys and values say: it was edited"
            return Outcome(Result.REFUSED, why)
        keys = keys_of(change.before)
        met = self.look(change)
        if met.result is not Result.WOULD or dry_run:
            return met
        ready(0)
        try:
            if change.remedy == CLEAR:
                (key, seen), *_ = change.before.items()
                done = self._clear(key, seen or "")
            else:
                done = self._set(change)
        except SourceError as error:
            if not error.does_not_answer:
                return Outcome(Result.FAILED, str(error))
            return Outcome(Result.UNKNOWN, f"Redis went away while it was set: {error}")
        if not done:
            return Outcome(Result.REFUSED, f"its keys were {_CHANGED}")
        if change.remedy == CLEAR:
            return Outcome(Result.DONE, now=dict.fromkeys(change.before))
        lives = {name: change.after.get(name) for name in set(change.before) - set(keys)}
        return Outcome(Result.DONE, now={**self._now(keys), **lives})

    # Its parts

    def holds(self, keys: Sequence[str]) -> dict[str, str]:
        """What each key holds, as a short hash of its dump; one that does not exist is left out."""
        if not keys:
            return {}

        def ask(client: redis.Redis) -> list[Any]:
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.dump(key)
                return list(pipeline.execute())

        dumps = zip(keys, self._ask(ask), strict=True)
        return {key: _short(dump) for key, dump in dumps if dump is not None}

    def _clear(self, key: str, seen: str) -> bool:
        from redis.exceptions import WatchError

        def ask(client: redis.Redis) -> bool:
            with client.pipeline(transaction=True) as pipeline:
                pipeline.watch(key)  # type: ignore[no-untyped-call]
                dump: Any = pipeline.dump(key)
                if dump is None or _short(dump) != seen:
                    return False
                pipeline.multi()
                pipeline.unlink(key)
                try:
                    pipeline.execute()
                except WatchError:
                    return False
                return True

        return self._ask(ask)

    def _now(self, keys: Sequence[str]) -> Values:
        def ask(client: redis.Redis) -> Values:
            return _values(client, keys)[0]

        return self._ask(ask)

    def _set(self, change: Change) -> bool:
        from redis.exceptions import WatchError

        keys = keys_of(change.before)

        def ask(client: redis.Redis) -> bool:
            with client.pipeline(transaction=True) as pipeline:
                pipeline.watch(*keys)  # type: ignore[no-untyped-call]
                now, kinds = _values(pipeline, keys)
                if not same(change.before, now, keys):
                    return False
                pipeline.multi()
                _queue(pipeline, change, kinds)
                try:
                    pipeline.execute()
                except WatchError:
                    return False
                return True

        return self._ask(ask)


def _short(dump: bytes) -> str:
    return "sha256 " + hashlib.sha256(dump).hexdigest()[:16]


def _against(change: Change, now: Values) -> Outcome:
    keys = keys_of(change.before)
    seen = {key: change.before[key] for key in keys}
    wanted = {key: change.after[key] for key in keys_of(change.after)}
    if same(wanted, now):
        return Outcome(Result.ALREADY, "the keys are so already", now=now)
    if not same(seen, now):
        return Outcome(Result.REFUSED, difference(seen, now), now=now)
    return Outcome(Result.WOULD, now=now)


def _values(client: Any, keys: Sequence[str]) -> tuple[Values, Mapping[str, str]]:
    """Each key as a plan writes it, and what it holds; a hash as the JSON object of its fields."""
    found: dict[str, str | None] = {}
    kinds: dict[str, str] = {}
    for key in keys:
        kind = bytes(client.type(key)).decode()
        kinds[key] = kind
        if kind == "none":
            found[key] = None
        elif kind == "string":
            found[key] = as_text(client.get(key))
        elif kind == "hash" and client.hlen(key) <= _MOST_FIELDS:
            found[key] = hash_text(client.hgetall(key))
        else:
            raise RefusedError(f"{key} is a {kind}: no value of a breaker's")
    return found, kinds


def _queue(pipeline: Any, change: Change, kinds: Mapping[str, str]) -> None:
    for key in keys_of(change.after):
        value = change.after[key]
        if value is None:
            pipeline.delete(key)
            continue
        lasting = change.after.get(life(key))
        if kinds[key] == "hash":
            pipeline.hset(key, mapping=_fields(value))
        elif life(key) not in change.after:
            pipeline.set(key, as_bytes(value) or b"", keepttl=True)
        else:
            pipeline.set(key, as_bytes(value) or b"", ex=int(lasting) if lasting else None)


def _fields(document: str) -> dict[str, str]:
    made = json.loads(document)
    return {
        name: "" if value is None else value if isinstance(value, str) else json.dumps(value)
        for name, value in made.items()
    }
