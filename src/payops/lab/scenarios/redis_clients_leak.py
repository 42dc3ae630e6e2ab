"""A worker opens connections to Redis and closes none: soon it turns everybody away.

At maxclients every new connection is refused, also those of web processes that restart (runbook
004, step 2: Redis holds the breaker and the idempotency keys).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab import background
from payops.lab.leaking import leak
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    most = int(lab.redis.config_get("maxclients")["maxclients"] or 0)
    connected = int(lab.redis.info("clients")["connected_clients"])
    leak(lab, "receipt-worker", max(1, most * parameters["percent"] // 100 - connected))


SCENARIO = Scenario(
    title="Redis runs out of connections",
    runbook="004, step 2",
    breaks="receipt-worker holds most of the connections that Redis gives",
    expected={"redis.clients": Status.WARN},
    inject=inject,
    heal=background.end,
    presets=("reference", "debtflow", "v-edfinance", "bookedbarber"),
    parameters={"percent": Parameter(87, 82, 93, "of maxclients; 80 are WARN, 95 CRIT")},
    outside="restart the process that leaks connections",
)
