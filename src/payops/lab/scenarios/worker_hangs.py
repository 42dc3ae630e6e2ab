"""A worker took a task two hours ago and never came back: nobody hands it out again.

Celery gives out anew what is not finished after its visibility timeout, an hour; what is older was
lost by a worker that hangs, or died while none was left to notice (runbook 004, a worker that
crashed before it wrote Stripe's answer down).
"""

from __future__ import annotations

import json
import time

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.working import broker

TAG = "lab-worker-hangs"
# As kombu keeps it: the message, the exchange and the routing key.
_MESSAGE = json.dumps([{"headers": {"task": "lab.worker_hangs"}}, "celery", "celery"])


def inject(lab: Lab, parameters: Parameters) -> None:
    with broker(lab) as redis:
        redis.hset("unacked", TAG, _MESSAGE)
        redis.zadd("unacked_index", {TAG: time.time() - 60 * parameters["minutes"]})


def heal(lab: Lab) -> None:
    with broker(lab) as redis:
        redis.hdel("unacked", TAG)
        redis.zrem("unacked_index", TAG)


SCENARIO = Scenario(
    title="A worker sits on what it took",
    runbook="004, Check Celery worker; 004, scenario 3",
    breaks="a task that a worker took two hours ago is neither done nor handed out again",
    expected={"queue.unacked": Status.WARN},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "bookedbarber"),
    parameters={"minutes": Parameter(120, 71, 10_000, "how long ago; 70 min are WARN")},
    outside="restart the worker",
)
