"""The application's health page answers 500.

The first thing that runbooks 000 and 003 look at: is the application up? Payments that are under
way may still be well.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(fails=True)
    lab.merchant.put("/faults", {"health": "500"})


def heal(lab: Lab) -> None:
    if lab.recall().get("fails"):
        lab.merchant.put("/faults", {"health": None})


SCENARIO = Scenario(
    title="The application fails",
    runbook="000, system health; 003, health check",
    breaks="the application's health page answers 500",
    expected={"app.health": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"health page"}),
    outside="put back the release that worked, or restart the application",
)
