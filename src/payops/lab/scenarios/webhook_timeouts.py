"""The webhook endpoint answers, and takes longer than Stripe waits.

The handler does its work before it answers: mails, invoices, a slow query. Deliveries end as
timeouts, are sent again, and are slower still; the events pile up though the endpoint is up and its
log shows no error (runbook 004, scenario 5; runbook 000, webhook processing time: answer first,
work afterwards).
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
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, error="no answer within 10 s", waiting=parameters["waiting"])
    break_webhook(lab, "slow", seconds=parameters["seconds"])


SCENARIO = Scenario(
    title="The webhook endpoint answers too late",
    runbook="004, scenario 5; 000, webhook processing time",
    breaks="the endpoint answers each delivery after 25 s, and Stripe does not wait for so long",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"endpoint-unreachable"}),
    loses=True,
    holds=frozenset({"answer"}),
    # Above what Stripe, and a probe, wait for: what comes in time is no fault.
    parameters={**LOST, "seconds": Parameter(25, 15, 110, "how long each answer takes")},
    mild={**LOST_MILD, "seconds": 15},
    severe={**LOST_SEVERE, "seconds": 90},
    outside="have the endpoint answer first and work afterwards; restart it",
    mend=mend_webhook,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
)
