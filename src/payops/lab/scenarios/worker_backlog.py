"""Work piles up in the queue: the workers are dead.

process_payment and reconcile_payments are Celery tasks (runbook 004, 'Check Celery worker'): what
is queued is neither made nor refused, and customers wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis as redis_client

from payops.config.load import settings_from
from payops.config.queues import Queue
from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

# Of kombu's form; the task is a made-up one, so that it is found again to be taken out.
_MESSAGE = '{"body": "W1tdLCB7fSwge31d", "headers": {"task": "lab.worker_backlog"}}'
_STEP = 1000


def inject(lab: Lab, parameters: Parameters) -> None:
    key, queue = _queue(lab)
    with _broker(lab, queue) as broker:
        for at in range(0, parameters["count"], _STEP):
            broker.rpush(key, *[_MESSAGE] * min(_STEP, parameters["count"] - at))


def heal(lab: Lab) -> None:
    key, queue = _queue(lab)
    with _broker(lab, queue) as broker:
        broker.lrem(key, 0, _MESSAGE)


def _queue(lab: Lab) -> tuple[str, Queue]:
    """The preset's queue that may hold least, by its key."""
    queues = settings_from({"preset": lab.system.preset}).queues
    name, queue = min(queues.items(), key=lambda item: item[1].most or 10**9)
    return queue.key or name, queue


@contextmanager
def _broker(lab: Lab, queue: Queue) -> Iterator[redis_client.Redis]:
    client = redis_client.Redis.from_url(
        lab.info.redis_url.rpartition("/")[0] + f"/{queue.database or 0}",
        socket_timeout=5,
        protocol=2,
    )
    with client:
        yield client


SCENARIO = Scenario(
    title="Work piles up behind dead workers",
    runbook="004, Check Celery worker",
    breaks="tasks wait in the broker's list, and nobody takes them",
    expected={"queue.depth": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "bookedbarber"),
    parameters={"count": Parameter(1500, 1, 100_000, "tasks; more than 1,000 are CRIT")},
)
