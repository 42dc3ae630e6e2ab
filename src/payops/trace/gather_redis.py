"""What Redis still knows of one payment: idempotency and dedupe keys, the breaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.pickled import is_pickle, read_scalar
from payops.trace.reach import Reach
from payops.trace.story import BreakerSeen, RedisKey, Story

if TYPE_CHECKING:
    from payops.config.circuit import Breaker

_LONGEST = 200


def read_keys(reach: Reach, story: Story) -> None:
    """Idempotency keys of the rows and events, and dedupe keys of the events."""
    settings = reach.settings
    about: dict[str, tuple[str, float]] = {}
    idempotency, dedupe = settings.trace.idempotency, settings.webhooks.dedupe
    if idempotency is not None:
        for key in _idempotency_keys(story):
            about[idempotency.key.replace("{key}", key)] = ("idempotency", float(idempotency.ttl))
    if dedupe is not None:
        young = story.now - timedelta(seconds=float(dedupe.ttl))
        for event in story.events:
            if event.created > young.timestamp():
                about[dedupe.key.replace("{event}", event.id)] = (event.id, float(dedupe.ttl))
    if about:
        found = reach.ask("redis", "its keys", lambda: _look(reach, story.now, about))
        story.redis_keys = tuple(found or ())


def _idempotency_keys(story: Story) -> list[str]:
    keys = [one.row.idempotency_key for one in story.rows if one.row.idempotency_key]
    keys += [event.idempotency_key for event in story.events if event.idempotency_key]
    return list(dict.fromkeys(keys))


def _look(reach: Reach, now: datetime, about: Mapping[str, tuple[str, float]]) -> list[RedisKey]:
    redis = reach.sources.redis
    keys = list(about)
    kinds, ends, strings = redis.types(keys), redis.expiries(keys), redis.strings(keys)
    found = []
    for key in keys:
        of, life = about[key]
        end = ends[key]
        since = None if end is None else _second(end - timedelta(seconds=life))
        found.append(
            RedisKey(
                key,
                kinds[key] != "none",
                None if end is None else int((end - now).total_seconds()),
                _value(strings[key]) if of == "idempotency" else "",
                of,
                # A key without a TTL was set nobody knows when, one with a longer one later on.
                since if since is not None and since <= now else None,
            )
        )
    return found


def _second(moment: datetime) -> datetime:
    """The nearest second: what a TTL tells is no more exact, and the same whenever it is asked."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _value(raw: bytes | None) -> str:
    """A key's content: plain text, or a scalar that was pickled; anything else is not read."""
    if raw is None:
        return ""
    try:
        decoded = read_scalar(raw) if is_pickle(raw) else raw.decode("utf-8")
    except ValueError:
        return f"({len(raw)} bytes that are no text)"
    return str(decoded)[:_LONGEST]


def key_content(reach: Reach, key: str) -> str:
    """What the application keeps by an Idempotency-Key (S4-22); empty where it keeps nothing."""
    idempotency = reach.settings.trace.idempotency
    if idempotency is None:
        return ""
    name = idempotency.key.replace("{key}", key)
    found = reach.ask("redis", "the idempotency key", lambda: reach.sources.redis.strings([name]))
    return _value(found[name]) if found else ""


def read_breakers(reach: Reach, story: Story) -> None:
    """The breakers as they are now; asked once a run."""
    breakers: Sequence[Breaker] = reach.settings.circuit.breakers
    if not breakers:
        return
    if "breakers" not in reach.kept:
        found = reach.ask("redis", "the breaker", lambda: _breakers(reach, breakers))
        if found is None:
            return
        reach.kept["breakers"] = tuple(found)
    story.breakers = reach.kept["breakers"]


def _breakers(reach: Reach, breakers: Sequence[Breaker]) -> list[BreakerSeen]:
    from payops.sources.breakers import place_of, read_breakers, reading

    found = read_breakers(reach.sources.redis, [place_of(each) for each in breakers])
    seen = []
    for one, configured in zip(found, breakers, strict=True):
        read = reading(one, configured)
        state = read.effective(one.as_of)
        word = state.value if state else (read.raw_state or "not understood")
        seen.append(BreakerSeen(configured.name, word, read.opened, one.as_of))
    return seen
