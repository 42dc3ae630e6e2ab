"""The shop's webhook endpoint has not answered for 40 minutes.

Stripe's events pile up undelivered (`pending_webhooks` above 0) and, as the shop learns of the
money by its webhooks, paid orders are still pending; the API, the ledger and Redis are well
(runbook 004, scenario 5; runbook 002, scenario B). In a quiet shop it is down for longer than 40
minutes: until enough paid orders have waited for more than 30.
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
    undelivered(lab, error="connection closed without an answer", waiting=parameters["waiting"])
    break_webhook(lab, "closed")


SCENARIO = Scenario(
    title="The webhook endpoint does not answer",
    runbook="004, scenario 5; 002, scenario B",
    breaks="the shop's webhook endpoint drops every delivery without an answer",
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
    outside="bring the webhook endpoint back",
    mend=mend_webhook,
)
