"""Refunds and disputes have taken more than there was: the account owes Stripe.

Refunds wait as pending, or the bank account behind it is debited (runbook 004, refunds of what was
charged twice).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.adding import livemode
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.stripe import objects

OWED = 48_250


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    mode = "live" if livemode(lab) else "test"
    lab.remember(balance=lab.stripe.get(f"/objects/balance:{mode}"))
    owed = objects.balance(livemode=livemode(lab), available={"usd": -OWED}, pending={"usd": 1_200})
    lab.stripe.put("/objects", [owed])


def heal(lab: Lab) -> None:
    if balance := lab.recall().get("balance"):
        lab.stripe.put("/objects", [balance])


SCENARIO = Scenario(
    title="The account's balance is negative",
    runbook="004, duplicate charges",
    breaks="refunds and disputes took more than the account had",
    expected={"stripe.balance": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"balance"}),
    outside="pay in what is missing, in the Dashboard",
)
