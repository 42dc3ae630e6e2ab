"""The application's clock runs away: a minute and a half by now, and signatures are good still.

Its time is no longer kept (a stopped chrony, a guest that was paused). At 300 s it refuses every
signature of Stripe's (runbook 000, webhook signature): `clock-skew` is what comes next.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    lab.remember(drifts=True)
    lab.merchant.put("/faults", {"clock_offset_s": parameters["seconds"]})


def heal(lab: Lab) -> None:
    if lab.recall().get("drifts"):
        lab.merchant.put("/faults", {"clock_offset_s": 0})


SCENARIO = Scenario(
    title="The application's clock runs away",
    runbook="000, webhook signature",
    breaks="the application's clock is ahead by less than a signature is good for",
    expected={"app.clock": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    holds=frozenset({"clock"}),
    parameters={"seconds": Parameter(90, 35, 290, "how far it is ahead; 300 s are allowed")},
    outside="set this machine's clock (NTP)",
)
