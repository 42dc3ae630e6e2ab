"""The endpoint is no longer registered for the event that the ledger waits for.

When its list of events was edited in the Dashboard, the one that tells of a payment's success was
left out: everything else arrives, that alone is not sent, and nothing is owed (runbook 001, webhook
failures; runbook 004, scenario 5).
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
from payops.lab.scenario import Lab, Parameters, Scenario

# What is left on the list where the endpoint was registered for everything.
_LEFT = (
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.completed",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payout.created",
    "payout.paid",
    "refund.created",
    "refund.failed",
    "refund.updated",
)


def inject(lab: Lab, parameters: Parameters) -> None:
    never_sent(lab, [lab.system.success], waiting=parameters["waiting"])
    endpoint = lab.endpoint
    events = endpoint["enabled_events"]
    lab.remember(endpoint=endpoint["id"], types=events)
    left = [one for one in (_LEFT if "*" in events else events) if one != lab.system.success]
    lab.stripe.put(f"/webhook_endpoints/{endpoint['id']}", {"enabled_events": left})


def mend(lab: Lab) -> None:
    kept = lab.recall()
    if "endpoint" in kept:
        lab.stripe.put(f"/webhook_endpoints/{kept['endpoint']}", {"enabled_events": kept["types"]})


def heal(lab: Lab) -> None:
    find_again(lab)
    mend(lab)


SCENARIO = Scenario(
    title="The endpoint is not registered for payments that succeed",
    runbook="001, webhook failures; 004, scenario 5",
    breaks="Stripe's endpoint lacks the type of event that tells of a payment's success",
    expected=STUCK,
    inject=inject,
    heal=heal,
    # DebtFlow completes its rows without that event.
    presets=("reference", "ireti-pos", "v-edfinance", "bookedbarber"),
    causes=frozenset({"type-not-subscribed"}),
    loses=True,
    holds=frozenset({"registration"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    outside="add the type to the endpoint's list in Stripe's Dashboard",
    mend=mend,
)
