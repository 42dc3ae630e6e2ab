"""The ledger and Stripe agree that a payment succeeded, and not on how much it was.

An amount that was reckoned twice, in floats or before a discount: what is in the books is not what
the customer was charged (runbook 002, data consistency; runbook 001, reconciliation). Nothing fails
and no rate moves; only a reconciliation holds amounts against each other.
"""

from __future__ import annotations

from decimal import Decimal

from psycopg import sql

from payops.lab.choosing import keep_payments, paid, restore_payments
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, settle


def inject(lab: Lab, parameters: Parameters) -> None:
    ledger = mapping(lab).payments
    keys = keep_payments(lab, paid(lab, parameters["count"], minutes=parameters["minutes"]))
    drift = Decimal(parameters["cents"])
    lab.postgres.execute(
        sql.SQL("UPDATE {} SET {amount} = {amount} + %s WHERE {}::text = ANY(%s)").format(
            sql.Identifier(ledger.table),
            sql.Identifier(ledger.columns.id),
            amount=sql.Identifier(ledger.columns.amount),
        ),
        (drift / 100 if ledger.amount_unit == "major" else drift, keys),
    )
    settle(lab, ledger.table)


SCENARIO = Scenario(
    title="Amounts differ from Stripe's",
    runbook="002, data consistency; 001, reconciliation",
    breaks="payments stand in the ledger with more than Stripe charged",
    expected={},
    classes=frozenset({"amount_mismatch"}),
    inject=inject,
    heal=restore_payments,
    presets=EVERY_PRESET,
    parameters={
        "count": Parameter(8, 1, 1_000, "how many payments"),
        "minutes": Parameter(480, 30, 10_080, "since when; further back in a quiet shop"),
        # Beyond the cent that BookedBarber's floats are known to lose.
        "cents": Parameter(250, 2, 100_000, "how much more the ledger says, in minor units"),
    },
    mild={"count": 1, "cents": 5},
    severe={"count": 30, "minutes": 1_440, "cents": 5_000},
    outside="find out in the application which of the two amounts is right",
)
