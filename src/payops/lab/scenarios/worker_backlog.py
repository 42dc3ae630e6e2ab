"""Work piles up in the queue: the workers are dead.

process_payment and reconcile_payments are Celery tasks (runbook 004, 'Check Celery worker'): what
is queued is neither made nor refused, and customers wait.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.working import broker, smallest_queue

# Of kombu's form; the task is a made-up one, so that it is found again to be taken out.
_MESSAGE = '{"body": "W1tdLCB7fSwge31d", "headers": {"task": "lab.worker_backlog"}}'
_STEP = 1000


def inject(lab: Lab, parameters: Parameters) -> None:
    key, _ = smallest_queue(lab)
    with broker(lab) as redis:
        for at in range(0, parameters["count"], _STEP):
            redis.rpush(key, *[_MESSAGE] * min(_STEP, parameters["count"] - at))


def heal(lab: Lab) -> None:
    key, _ = smallest_queue(lab)
    with broker(lab) as redis:
        redis.lrem(key, 0, _MESSAGE)


SCENARIO = Scenario(
    title="Work piles up behind dead workers",
    runbook="004, Check Celery worker",
    breaks="tasks wait in the broker's list, and nobody takes them",
    expected={"queue.depth": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "bookedbarber"),
    parameters={"count": Parameter(1500, 1, 100_000, "tasks; more than 1,000 are CRIT")},
    mild={"count": 1_100},
    severe={"count": 20_000},
    outside="start the workers again",
)
