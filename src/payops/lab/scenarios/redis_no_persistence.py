"""Redis keeps nothing on disk: a restart forgets which payments were made.

Idempotency keys, events that were had and queued tasks are gone with the next deploy of Redis
(runbook 004: keys live 24 h in Redis).
"""

from __future__ import annotations

import time

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    before = {name: lab.redis.config_get(name)[name] for name in ("appendonly", "save")}
    lab.remember(before=before)
    lab.redis.config_set("save", "")
    lab.redis.config_set("appendonly", "no")


def heal(lab: Lab) -> None:
    for name, value in lab.recall().get("before", {}).items():
        lab.redis.config_set(name, value)
    # What was written meanwhile is on disk only when the log has been written anew.
    limit = time.monotonic() + 10
    while _rewriting(lab):
        if time.monotonic() > limit:
            raise LabError("Redis does not finish its log", hint="see logs/redis.log of the lab")
        time.sleep(0.02)


def _rewriting(lab: Lab) -> bool:
    told = lab.redis.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


SCENARIO = Scenario(
    title="Redis keeps nothing on disk",
    runbook="004, idempotency keys",
    breaks="Redis writes neither a log nor snapshots",
    expected={"redis.persistence": Status.WARN},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "bookedbarber"),
    outside="put right why Redis cannot save",
)
