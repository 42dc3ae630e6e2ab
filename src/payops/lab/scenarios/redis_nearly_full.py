"""Redis has nine tenths of the memory that it may take, and will refuse every write at its limit.

Then no idempotency key can be set and no task be queued (runbook 004 keeps both in Redis). Nothing
was refused yet, and with the policy noeviction nothing is thrown away.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameters, Scenario

BALLAST = "lab:session-cache"
# So much that what clients take for a moment is no matter.
_BALLAST_BYTES = 16 * 1024**2
SHARE = 0.9


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    before = lab.redis.config_get("maxmemory")["maxmemory"] or "0"
    if before != "0":
        raise LabError(
            "Redis has a limit of memory already", hint="payops lab heal what set it first"
        )
    lab.remember(maxmemory=before)
    lab.redis.setrange(BALLAST, _BALLAST_BYTES, "x")
    lab.redis.config_set("maxmemory", int(int(lab.redis.info("memory")["used_memory"]) / SHARE))


def heal(lab: Lab) -> None:
    if "maxmemory" in lab.recall():
        lab.redis.config_set("maxmemory", lab.recall()["maxmemory"])
        lab.redis.delete(BALLAST)


SCENARIO = Scenario(
    title="Redis is nearly full",
    runbook="004, step 2; 004, idempotency keys",
    breaks="a cache fills nine tenths of the memory that Redis may take",
    expected={"redis.memory": Status.WARN},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "v-edfinance", "bookedbarber"),
    holds=frozenset({"memory of redis"}),
    outside="give Redis more memory, or clear what fills it",
)
