"""Whether the application has had an event, by its key in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.webhook import PathEvent

if TYPE_CHECKING:
    from payops.config.webhooks import DedupeKeys
    from payops.sources import Sources

# Keys in one question: MGET of so many short keys takes Redis less than a millisecond.
_BATCH = 1000
# A key may be gone this long before its time is up by Stripe's clock: clocks differ, and what was
# delivered late was marked late.
_MARGIN = timedelta(minutes=10)


def with_keys(
    sources: Sources, dedupe: DedupeKeys, events: Sequence[PathEvent], as_of: datetime
) -> list[PathEvent]:
    """The events, each with whether its key is there; None for one older than the keys' life.

    Raises SourceError, NotConfiguredError without `redis:`.
    """
    oldest = as_of - timedelta(seconds=float(dedupe.ttl)) + _MARGIN
    young = [event for event in events if event.created > oldest]
    redis = sources.redis
    there: set[str] = set()
    for at in range(0, len(young), _BATCH):
        keys = {key_of(dedupe, event.id): event.id for event in young[at : at + _BATCH]}
        # TYPE, since a key may hold what is no string, and to exist is all that it has to do.
        kinds = redis.types(list(keys))
        there |= {event for key, event in keys.items() if kinds[key] != "none"}
    looked = {event.id for event in young}
    return [
        replace(event, seen=event.id in there) if event.id in looked else event for event in events
    ]


def key_of(dedupe: DedupeKeys, event: str) -> str:
    """The key of one event."""
    return dedupe.key.replace("{event}", event)
