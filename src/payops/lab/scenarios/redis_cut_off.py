"""Redis was made the replica of a master that is not there: it takes no write any more.

A failover that was half done. What was in it can be read; no idempotency key can be set, no breaker
be reset and no task be queued (runbook 004, step 2).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameters, Scenario

# Where nobody may listen but root, and nobody does.
NOBODY = ("127.0.0.1", "1")


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.redis.replicaof(*NOBODY)


def heal(lab: Lab) -> None:
    lab.redis.replicaof("NO", "ONE")


SCENARIO = Scenario(
    title="Redis is cut off from its master",
    runbook="004, step 2",
    breaks="Redis is the read-only replica of a master that does not answer",
    expected={"redis.replication": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "v-edfinance", "bookedbarber"),
    outside="let the replica reach its primary again",
)
