"""The webhook endpoint moved, and Stripe does not follow.

Since a release the address without a slash at its end answers 308 with the one that has it (or the
other way round, or a proxy sends `www` elsewhere). A browser follows; to Stripe every 3xx is a
failed delivery, so paid orders stay pending while the page and the handler are well (runbook 004,
scenario 5).
"""

from __future__ import annotations

from payops.lab.losing import (
    LOST,
    LOST_DIFFERS,
    LOST_MILD,
    LOST_SEVERE,
    LOST_VARIES,
    STUCK_AND_OWED,
    break_webhook,
    heal,
    mend_webhook,
    undelivered,
)
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, status=308, waiting=parameters["waiting"])
    break_webhook(lab, "redirect")


SCENARIO = Scenario(
    title="The webhook endpoint redirects",
    runbook="004, scenario 5; 002, scenario B",
    breaks="the endpoint answers 308, which Stripe does not follow",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"endpoint-redirects"}),
    loses=True,
    holds=frozenset({"answer"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="register the address that answers, or have the endpoint answer without a redirect",
    mend=mend_webhook,
)
