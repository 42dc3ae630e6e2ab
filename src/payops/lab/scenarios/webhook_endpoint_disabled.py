"""Stripe's endpoint has been disabled for 40 minutes, and nothing is owed to it.

Somebody switched it off in the Dashboard, or Stripe did after days of failures. An event made since
then is never sent, also not when the endpoint is enabled again: `pending_webhooks` is 0, no row is
in the log, and a backlog of deliveries is nowhere to be seen (runbook 001, webhook failures).
"""

from __future__ import annotations

from payops.lab.losing import (
    LOST,
    LOST_DIFFERS,
    LOST_MILD,
    LOST_SEVERE,
    STUCK,
    find_again,
    never_sent,
)
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    never_sent(lab, waiting=parameters["waiting"])
    endpoint = lab.endpoint
    lab.remember(endpoint=endpoint["id"], status=endpoint["status"])
    lab.stripe.put(f"/webhook_endpoints/{endpoint['id']}", {"status": "disabled"})


def mend(lab: Lab) -> None:
    kept = lab.recall()
    if "endpoint" in kept:
        lab.stripe.put(f"/webhook_endpoints/{kept['endpoint']}", {"status": kept["status"]})


def heal(lab: Lab) -> None:
    find_again(lab)
    mend(lab)


SCENARIO = Scenario(
    title="The webhook endpoint is disabled at Stripe",
    runbook="001, webhook failures; 004, scenario 5",
    breaks="Stripe's endpoint is disabled: events since then were not sent, and never will be",
    expected=STUCK,
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"endpoint-disabled"}),
    loses=True,
    holds=frozenset({"registration"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    outside="enable the endpoint in Stripe's Dashboard",
    mend=mend,
)
