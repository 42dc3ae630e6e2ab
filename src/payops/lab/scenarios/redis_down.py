"""Redis does not answer: its process is gone.

Idempotency keys, the webhook dedupe keys and the breaker's state are out of reach (runbook 004:
all three live in Redis); connections are refused. Its data is on disk and comes back with it.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_ask
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.servers.redis.stop()


def heal(lab: Lab) -> None:
    lab.servers.redis.start()


SCENARIO = Scenario(
    title="Redis is down",
    runbook="004, step 2",
    breaks="the Redis process is stopped",
    expected={**all_that_ask("redis"), "app.health": Status.CRIT},
    inject=inject,
    heal=heal,
    stops=("redis",),
    # Ireti POS uses no Redis.
    presets=("reference", "debtflow", "v-edfinance", "bookedbarber"),
    outside="restart Redis",
)
