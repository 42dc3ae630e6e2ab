"""A few jobs wait, and have for an hour: the one worker of a small queue is gone.

By its length the queue looks well (runbook 004, 'Check Celery worker'). It is one of RQ, which says
when each job came; the lab's configuration is told of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.keyfaults import exchange, put_right
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

QUEUE = "lab-receipts"
_LIST = f"rq:queue:{QUEUE}"
_JOBS = tuple(f"lab-receipt-{number}" for number in range(3))
_BEFORE = "\nwebhooks:\n"


def inject(lab: Lab, parameters: Parameters) -> None:
    exchange(lab, _BEFORE, f"\nqueues:\n  {QUEUE}: {{kind: rq}}\n{_BEFORE}")
    came = datetime.now(UTC) - timedelta(minutes=parameters["minutes"])
    for number, job in enumerate(_JOBS):
        told = (came + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lab.redis.hset(f"rq:job:{job}", mapping={"status": "queued", "enqueued_at": told})
        lab.redis.rpush(_LIST, job)


def heal(lab: Lab) -> None:
    lab.redis.delete(_LIST, *(f"rq:job:{job}" for job in _JOBS))
    put_right(lab)


SCENARIO = Scenario(
    title="A small queue stands still",
    runbook="004, Check Celery worker",
    breaks="three jobs have waited for an hour, and nobody takes them",
    expected={"queue.age": Status.CRIT},
    inject=inject,
    heal=heal,
    changes=frozenset({"configuration"}),
    parameters={"minutes": Parameter(60, 31, 10_000, "how long; 5 min are WARN, 30 CRIT")},
    outside="start the workers again",
)
