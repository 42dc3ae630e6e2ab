"""Nothing listens where Stripe delivers, while the shop itself answers.

The webhook has a way in of its own, and its process is gone: connections are refused, the health
page says that all is well (runbook 004, scenario 5; runbook 002, scenario B).
"""

from __future__ import annotations

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
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, error="[Errno 111] Connect call failed", waiting=parameters["waiting"])
    lab.remember(closed=True)
    lab.merchant.put("/faults", {"webhook_down": True})


def mend(lab: Lab) -> None:
    if lab.recall().get("closed"):
        lab.merchant.put("/faults", {"webhook_down": False})


def heal(lab: Lab) -> None:
    find_again(lab)
    mend(lab)


SCENARIO = Scenario(
    title="The webhook endpoint refuses connections",
    runbook="004, scenario 5; 002, scenario B",
    breaks="nothing listens on the port that Stripe delivers to; the shop's own port answers",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"endpoint-unreachable"}),
    loses=True,
    holds=frozenset({"answer"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="start the process behind the webhook endpoint again",
    mend=mend,
)
