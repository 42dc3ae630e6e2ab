"""Do cached numbers end some day, and are they fresh?

A dashboard that shows what was reckoned days ago sends people after payments that are not missing
(runbook 003, 'Stale Analytics Cache'): its key never ends, or what makes it anew stopped. How old a
value is, it says itself where it is JSON with the time at which it was made; of others the life
alone is looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "age": Threshold(3600, None, "s", "S3-40: what is cached lives for an hour"),
    "endless": Threshold(0, None, "count", "S3-35: a key without an end is never made anew"),
}
# Keys of one cache that are counted, of which the lives are read, and the values (64 kB at most).
MOST, SAMPLE, VALUES = 50_000, 2_000, 200
# Where such values say when they were made, the surest first.
MADE = ("generated_at", "computed_at", "cached_at", "timestamp")
_MILLISECONDS = 1e11  # as seconds: the year 5138
_LONGEST_KEY = 80


@dataclass(frozen=True)
class Cache:
    """One cache: `count` keys (more when not `complete`), of which `sampled` were looked at and
    `endless` of those have no TTL. `oldest` is the key with the oldest value that tells when it was
    made, `made` that time; None where none tells."""

    name: str
    count: int
    complete: bool
    sampled: int
    endless: int
    oldest: str = ""
    made: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """The caches of the configuration; `as_of` is the clock of Redis."""

    as_of: datetime
    caches: tuple[Cache, ...]


def gather(ctx: Context) -> Facts:
    caches = ctx.settings.circuit.caches
    if not caches:
        raise NotConfiguredError("no caches in Redis are configured (circuit.caches)")
    source = ctx.sources.redis
    found = []
    for name, pattern in caches.items():
        keys, complete = source.scan(pattern, MOST)
        sample = _spread(keys, SAMPLE)
        lives = source.ttls(sample)
        still = source.types([key for key, left in lives.items() if left is None])
        # One that ended between the two looks has no TTL either.
        endless = sum(kind != "none" for kind in still.values())
        values = source.strings(_spread(sample, VALUES))
        times = {key: made for key, text in values.items() if (made := made_at(text))}
        oldest = min(times, key=lambda key: times[key], default="")
        found.append(
            Cache(name, len(keys), complete, len(sample), endless, oldest, times.get(oldest))
        )
    return Facts(source.now(), tuple(found))


def _spread(keys: list[str], most: int) -> list[str]:
    return keys[:: max(1, -(-len(keys) // most))]


def made_at(text: bytes | None) -> datetime | None:
    """When a cached value says that it was made; None where it does not, or is no JSON object.

    >>> made_at(b'{"generated_at": 1770802200}').isoformat()
    '2026-02-11T09:30:00+00:00'
    """
    if text is None or text.lstrip()[:1] != b"{":
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return next((time for name in MADE if (time := _moment(value.get(name)))), None)


def _moment(value: object) -> datetime | None:
    """A time as epoch seconds, milliseconds or ISO text; one without a zone is UTC."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        seconds = float(value)
        if not math.isfinite(seconds) or seconds <= 0:
            return None
        return datetime.fromtimestamp(seconds / 1e3 if seconds > _MILLISECONDS else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def judge(facts: Facts, limits: Limits) -> CheckResult:
    ages = {
        one.name: (facts.as_of - one.made).total_seconds()
        for one in facts.caches
        if one.made is not None
    }
    endless = sum(one.endless for one in facts.caches)
    age = max(ages.values(), default=0.0)
    status = worst([limits["endless"].judge(endless), limits["age"].judge(age)])
    bad = [
        one
        for one in facts.caches
        if worst(
            [limits["endless"].judge(one.endless), limits["age"].judge(ages.get(one.name, 0.0))]
        )
        is not Status.OK
    ]
    made = [one.made for one in bad if one.made is not None]
    return CheckResult(
        status,
        "; ".join(_said(one, ages.get(one.name)) for one in facts.caches),
        as_of=facts.as_of,
        since=min(made, default=None),
        measured={
            "endless": endless,
            "keys": sum(one.count for one in facts.caches),
            "age": round(age, 1),  # 0 where no value tells it
        },
        evidence=tuple(_oldest(one, facts.as_of) for one in bad if one.oldest),
        actions=tuple(_actions(bad, only=len(facts.caches) == 1)),
    )


def _said(cache: Cache, age: float | None) -> str:
    count = f"{cache.count:,}" + ("" if cache.complete else " or more")
    parts = [f"{harmless(cache.name)}: {count} keys"]
    if cache.endless:
        of = "" if cache.sampled == cache.count else f" of {cache.sampled:,} looked at"
        parts.append(f"{cache.endless:,}{of} never expire")
    if age is not None:
        parts.append(f"the oldest value made {human_duration(age)} ago")
    return ", ".join(parts)


def _oldest(cache: Cache, as_of: datetime) -> Evidence:
    key = shortened(harmless(cache.oldest), _LONGEST_KEY)
    made = f"{cache.made:%Y-%m-%dT%H:%M:%SZ}" if cache.made else ""
    return Evidence(f"{key} was made {made}", "redis", as_of, {"cache": harmless(cache.name)})


def _actions(bad: Sequence[Cache], *, only: bool) -> Iterable[Action]:
    for one in bad:
        which = "" if only else f" --set cache={one.name}"
        yield Action(
            f"Clear the cache {harmless(one.name)}: a plan, and nothing but its keys",
            f"payops remedy plan clear-cache{which}",
        )
    if bad:
        yield Action("Hold the dashboard against the database", "payops stats --since 24h")
        yield Action(
            "Give what is cached an end where it is written (EX 3600), and see why it is not made "
            "anew"
        )


CHECK = Check(
    title="Cached numbers are fresh, and end some day",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-35", "S3-37", "S3-40"),
    deep=True,
)
