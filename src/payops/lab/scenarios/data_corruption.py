"""Rows of payments make no sense, in several ways at once.

A migration that went wrong, a script run on the wrong database: some amounts are ten times what
they were, some payments say that they were given back when nobody was refunded (where the system
knows such a word), and some name a PaymentIntent that Stripe has never made (runbook 001, data
recovery; runbook 002, data consistency). Which rows, and what Stripe says of each, is for a
reconciliation to tell.
"""

from __future__ import annotations

from psycopg import sql

from payops.lab.choosing import keep_payments, paid, restore_payments
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, set_columns, settle
from payops.lab.stripe.objects import derived_token

# Older than the window of the rates, which single rows would move in a quiet shop.
YOUNGEST = 75


def inject(lab: Lab, parameters: Parameters) -> None:
    ledger = mapping(lab).payments
    columns, table = ledger.columns, ledger.table
    each = parameters["count"]
    rows = paid(lab, 3 * each, minutes=parameters["minutes"], youngest=YOUNGEST)
    keys = keep_payments(lab, rows)
    too_much, untrue, renamed = keys[::3], keys[1::3], keys[2::3]
    lab.postgres.execute(
        sql.SQL("UPDATE {} SET {amount} = {amount} * 10 WHERE {}::text = ANY(%s)").format(
            sql.Identifier(table),
            sql.Identifier(columns.id),
            amount=sql.Identifier(columns.amount),
        ),
        (too_much,),
    )
    if words := ledger.statuses.get("refunded"):
        set_columns(lab, table, columns.id, untrue, {columns.status: words[0]})
    for key in renamed:
        made_up = f"pi_{derived_token(f'{lab.scenario} {key}', 24)}"
        set_columns(lab, table, columns.id, [key], {columns.processor_ref or "": made_up})
    settle(lab, table)


SCENARIO = Scenario(
    title="Rows of payments are corrupted",
    runbook="001, data recovery; 002, data consistency",
    breaks="amounts, statuses and PaymentIntents in the ledger are not what they were",
    expected={},
    classes=frozenset({"amount_mismatch", "refund_missing"}),
    inject=inject,
    heal=restore_payments,
    presets=EVERY_PRESET,
    parameters={
        "count": Parameter(3, 1, 300, "how many payments of each of the three kinds"),
        "minutes": Parameter(1_440, 90, 10_080, "since when; further back in a quiet shop"),
    },
    mild={"count": 1, "minutes": 720},
    severe={"count": 12, "minutes": 2_880},
    outside="restore these rows from a backup, as of before the change",
)
