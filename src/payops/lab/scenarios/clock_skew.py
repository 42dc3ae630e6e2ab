"""The application's clock is a quarter of an hour ahead, so that every signature looks old.

Stripe signs with the time; more than 300 s from the receiver's own, and it refuses what is genuine
(400) though secret and body are right. Its `Date` header tells (runbook 000, webhook signature).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.losing import (
    LOST,
    LOST_DIFFERS,
    LOST_MILD,
    LOST_SEVERE,
    LOST_VARIES,
    STUCK_AND_OWED,
    find_again,
    undelivered,
)
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, status=400, waiting=parameters["waiting"])
    lab.remember(skewed=True)
    lab.merchant.put("/faults", {"clock_offset_s": parameters["seconds"]})


def mend(lab: Lab) -> None:
    if lab.recall().get("skewed"):
        lab.merchant.put("/faults", {"clock_offset_s": 0})


def heal(lab: Lab) -> None:
    find_again(lab)
    mend(lab)


SCENARIO = Scenario(
    title="Webhook signatures are refused: the clock is off",
    runbook="000, webhook signature; 002, scenario B",
    breaks="the application's clock is ahead of Stripe's by more than a signature is good for",
    expected={**STUCK_AND_OWED, "app.clock": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "ireti-pos", "v-edfinance"),
    causes=frozenset({"signature-refused"}),
    loses=True,
    holds=frozenset({"answer", "clock"}),
    parameters={
        **LOST,
        "seconds": Parameter(900, 301, 86_400, "how far it is ahead; 300 s are allowed"),
    },
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="set the application's clock (NTP)",
    mend=mend,
)
