"""The clock of the machine that payops runs on is ten minutes ahead of Stripe's.

A machine whose clock is off refuses every signature, and everything that it compares with Stripe's
times is wrong (runbook 000, webhook signature: `date`, `ntpstat`).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    lab.remember(offset_s=lab.stripe.get("/state")["clock_offset_s"])
    lab.stripe.post("/clock", {"offset_s": -parameters["seconds"]})


def heal(lab: Lab) -> None:
    if "offset_s" in lab.recall():
        lab.stripe.post("/clock", {"offset_s": lab.recall()["offset_s"]})


SCENARIO = Scenario(
    title="This machine's clock is off",
    runbook="000, webhook signature",
    breaks="this machine's clock is ahead of Stripe's",
    expected={"stripe.clock": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"Stripe's clock"}),
    parameters={"seconds": Parameter(600, 301, 3_600, "how far it is ahead")},
    mild={"seconds": 310},
    severe={"seconds": 3_000},
    outside="set this machine's clock (NTP)",
)
