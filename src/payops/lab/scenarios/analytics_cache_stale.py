"""The dashboard shows numbers of days ago: its cached answers never expire.

Runbook 003, 'Stale Analytics Cache': what is under `analytics:*` in Redis was reckoned before the
payments that it leaves out. `redis.caches` sees values that say when they were made, and keys that
never end; of others a person compares the dashboard with `payops stats`. A plan clears the cache.
"""

from __future__ import annotations

import json
import time

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

PATTERN = "analytics:*"


def inject(lab: Lab, parameters: Parameters) -> None:
    reckoned = int(time.time()) - 3_600 * parameters["hours"]
    keys = {
        f"analytics:dashboard:{number}:{period}": json.dumps(
            {"generated_at": reckoned, "revenue": 1_250.0 + number, "payments": 17 + number}
        )
        for number in range(parameters["count"])
        for period in ("day", "week")
    }
    lab.remember(keys=list(keys))
    lab.redis.mset(keys)


def heal(lab: Lab) -> None:
    if keys := lab.recall().get("keys"):
        lab.redis.delete(*keys)


def still(lab: Lab) -> list[str]:
    """Keys that were there before the cache was cleared."""
    kept = lab.recall().get("keys", [])
    left = lab.redis.exists(*kept) if kept else 0
    return [f"{left} keys under {PATTERN} are as old as before"] if left else []


SCENARIO = Scenario(
    title="The analytics cache is stale",
    runbook="003, stale analytics cache",
    breaks="the dashboard's cached answers are two days old, and never expire",
    expected={"redis.caches": Status.WARN},
    inject=inject,
    heal=heal,
    still=still,
    presets=("bookedbarber",),
    parameters={
        "count": Parameter(12, 1, 1_000, "of how many dashboards"),
        "hours": Parameter(48, 2, 720, "how old the numbers are"),
    },
    mild={"count": 2, "hours": 6},
    severe={"count": 200, "hours": 240},
)
