"""The Redis that a preset's queue lies in, which may be another database than the shop's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis as redis_client

from payops.config.load import settings_from
from payops.config.queues import Queue
from payops.lab.scenario import Lab


def smallest_queue(lab: Lab) -> tuple[str, Queue]:
    """The preset's queue that may hold least, by its key."""
    queues = settings_from({"preset": lab.system.preset}).queues
    name, queue = min(queues.items(), key=lambda item: item[1].most or 10**9)
    return queue.key or name, queue


@contextmanager
def broker(lab: Lab) -> Iterator[redis_client.Redis]:
    """A connection to the Redis database of that queue."""
    _, queue = smallest_queue(lab)
    client = redis_client.Redis.from_url(
        lab.info.redis_url.rpartition("/")[0] + f"/{queue.database or 0}",
        socket_timeout=5,
        protocol=2,
    )
    with client:
        yield client
