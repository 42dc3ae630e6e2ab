"""Stripe took the money, and the ledger has no row of it.

The row was written in a transaction that was rolled back after Stripe had answered: a timeout, a
lock, a bug after the call (runbook 002, "payment failed but money deducted"; runbook 004, scenario
4). The customer was told that it failed. No check of the ledger can see what is not in it: a
reconciliation can.
"""

from __future__ import annotations

from payops.lab.choosing import keep_payments, paid, restore_payments
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import remove_payments

# Older than the window of what is judged by the hour, which single rows would move.
YOUNGEST = 75


def inject(lab: Lab, parameters: Parameters) -> None:
    rows = paid(
        lab, parameters["count"], minutes=parameters["minutes"], youngest=YOUNGEST, alone=True
    )
    remove_payments(lab, keep_payments(lab, rows))


SCENARIO = Scenario(
    title="Charged at Stripe, not recorded",
    runbook="002, a timeout during the transaction; 004, scenario 4",
    breaks="payments that Stripe took are not in the ledger: their rows were rolled back",
    expected={},
    classes=frozenset({"missing_in_ledger"}),
    inject=inject,
    heal=restore_payments,
    presets=EVERY_PRESET,
    parameters={
        "count": Parameter(6, 1, 1_000, "how many payments"),
        "minutes": Parameter(240, 90, 10_080, "since when; further back in a quiet shop"),
    },
    mild={"count": 1, "minutes": 120},
    severe={"count": 25, "minutes": 1_440},
    outside="write the missing rows in the application, from what payops reconcile lists",
)
