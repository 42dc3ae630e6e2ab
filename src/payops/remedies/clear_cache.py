"""Cached keys deleted, so that what is shown is made anew from the database (runbook 003, 'Stale
Analytics Cache').

The runbook deletes `analytics:*` in one go and unseen; here each key is deleted while it holds what
the plan saw, and what was written anew meanwhile stays. A plan has hashes, never what is cached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from payops.domain.plan import Change
from payops.domain.plan_redis import CLEAR, statement_of
from payops.errors import UsageError
from payops.remedies.contract import CodeRemedy

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources.redis_writer import RedisWriter

_MOST = 5_000


def make(settings: Settings, redis: RedisWriter, params: Mapping[str, str]) -> Sequence[Change]:
    """A change a key. Raises UsageError for a cache that is not configured or too large."""
    caches = settings.circuit.caches
    name = params["cache"] or (next(iter(caches)) if len(caches) == 1 else "")
    if name not in caches:
        known = ", ".join(caches) or "none is configured (circuit.caches)"
        raise UsageError(f"--set cache={name}: no such cache", hint=f"caches: {known}")
    keys, complete = redis.scan(caches[name], _MOST)
    if not complete:
        raise UsageError(
            f"the cache {name} has more than {_MOST:,} keys, or they could not be counted in time",
            hint="clear it by the application's own means, or narrow circuit.caches",
        )
    return [_change(name, key, held) for key, held in redis.holds(keys).items()]


def absent(settings: Settings) -> str:
    """Why there is nothing to clear; empty where a cache is configured."""
    return "" if settings.circuit.caches else "no cache is configured (circuit.caches)"


def _change(name: str, key: str, held: str) -> Change:
    made = Change(
        id=f"{CLEAR}:{key}",
        remedy=CLEAR,
        table=name,
        key={"key": key},
        before={key: held},
        after={key: None},
        statement="",
        why=f"the cache {name} may be stale: the application makes it anew when it is asked",
        risk="the next request for it is slower",
        undoable=False,
    )
    return replace(made, statement=statement_of(made))


REMEDY = CodeRemedy(
    title="Clear cached keys, so that totals are made anew",
    why="analytics show what was cached, not what the database has",
    make_redis=make,
    risk="the next requests are slower",
    max_changes=_MOST,
    params={"cache": ""},
    source="runbook 003, 'Stale Analytics Cache'",
    absent=absent,
)
