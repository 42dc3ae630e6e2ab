"""Payments succeeded at Stripe, and Stripe never made the event that tells of it.

Rare, and real: the PaymentIntent has succeeded and its charge too, but no
`payment_intent.succeeded` exists, so nothing was sent, nothing is owed, and a replay has nothing to
send. Only the objects themselves tell (runbook 004, scenario 4; runbook 002, step 1).
"""

from __future__ import annotations

from payops.lab.losing import STUCK, find_again, never_sent
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    never_sent(lab, [lab.system.success])
    never = [event["id"] for event in lab.recall()["stripe_events"]]
    lab.stripe.put("/objects", {"remove": never})
    lab.remember(muted=True)
    lab.stripe.put("/muted", [lab.system.success])


def heal(lab: Lab) -> None:
    find_again(lab)
    if lab.recall().get("muted"):
        lab.stripe.put("/muted", [])


SCENARIO = Scenario(
    title="Stripe never generated the event",
    runbook="004, scenario 4; 002, step 1",
    breaks="payments succeeded at Stripe, and no event tells of it",
    expected=STUCK,
    inject=inject,
    heal=heal,
    # DebtFlow completes its rows without that event.
    presets=("reference", "ireti-pos", "v-edfinance", "bookedbarber"),
    causes=frozenset({"event-never-generated"}),
    loses=True,
)
