"""Queues as the tables of the tests need them, and a context over the real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from payops.checks.contract import Context
from payops.checks.queues import Facts, Limit
from payops.domain.deadline import Deadline
from payops.lab.servers.redis import RedisServer
from payops.sources import Sources
from payops.sources.queues import QueueState
from tools import NOW, fake_context, settings


def queue(waiting: int = 0, name: str = "celery", kind: str = "celery", **given: Any) -> QueueState:
    """One queue's state."""
    return QueueState(name, kind, name, waiting, **given)


def facts(*queues: QueueState, **own: Limit) -> Facts:
    """What a check of queues is given."""
    return Facts(NOW, queues, dict(own))


@contextmanager
def asking(server: RedisServer, **queues: dict[str, Any]) -> Iterator[Context]:
    """A context of a new run, over the real server."""
    configured = settings(redis={"url": server.url}, queues=queues)
    sources = Sources(configured, Deadline.after(10))
    try:
        yield Context(configured, sources, fake_context().window, NOW, Deadline.after(10))
    finally:
        sources.close()
