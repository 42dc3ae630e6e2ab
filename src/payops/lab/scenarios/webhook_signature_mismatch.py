"""The application has another signing secret than Stripe.

The endpoint was made anew in the Dashboard (or its secret rolled) and the application still has the
old one: every genuine delivery is answered 400, `invalid signature`, just as a forged one should be
(runbook 000, webhook signature; runbook 002, scenario B).
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
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, status=400, waiting=parameters["waiting"])
    break_webhook(lab, "wrong_secret")


SCENARIO = Scenario(
    title="Webhook signatures are refused: wrong secret",
    runbook="000, webhook signature; 002, scenario B",
    breaks="the application checks signatures with another secret than Stripe signs with",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "ireti-pos", "v-edfinance"),
    causes=frozenset({"signature-refused"}),
    loses=True,
    holds=frozenset({"answer"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="give the application the endpoint's signing secret",
    mend=mend_webhook,
)
