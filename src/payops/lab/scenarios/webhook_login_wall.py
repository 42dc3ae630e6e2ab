"""The webhook endpoint asks for a login.

A change of the proxy put the whole application behind its sign-in page: Stripe gets 403 and HTML,
long before any signature is looked at (runbook 001, webhook failures; runbook 004, scenario 5).
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
    undelivered(lab, status=403, waiting=parameters["waiting"])
    break_webhook(lab, "403")


SCENARIO = Scenario(
    title="The webhook endpoint is behind a login",
    runbook="001, webhook failures; 004, scenario 5",
    breaks="every delivery is answered 403 with a sign-in page",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"endpoint-forbids"}),
    loses=True,
    holds=frozenset({"answer"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="take the endpoint's path out of the login wall",
    mend=mend_webhook,
)
