"""Payments were completed without Stripe's id.

The ledger says that they are paid, and nobody can refund or reconcile them: the id was lost between
Stripe's answer and the row, or somebody completed them by hand (runbook 002, database updates).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, put_back, set_columns

_TABLE = "payments"


def inject(lab: Lab, parameters: Parameters) -> None:
    found = lab.postgres.execute(
        "SELECT to_jsonb(p) FROM payments p WHERE status = 'succeeded' "
        "AND created_at > now() - interval '50 minutes' ORDER BY created_at DESC LIMIT %s",
        (parameters["count"],),
    ).fetchall()
    rows = [row[0] for row in found if row[0]["processor_ref"] not in lab.held()]
    if not rows:
        raise LabError("the lab has no recent payments", hint="start one with more payments")
    lab.remember(payments=rows, held=[row["processor_ref"] for row in rows])
    set_columns(lab, _TABLE, "id", [row["id"] for row in rows], {"processor_ref": None})


def heal(lab: Lab) -> None:
    put_back(lab, mapping(lab).payments.table, lab.recall().get("payments", []))


SCENARIO = Scenario(
    title="Paid payments have no Stripe id",
    runbook="002, database updates",
    breaks="payments are completed in the ledger without their PaymentIntent",
    expected={"payments.no-reference": Status.WARN},
    inject=inject,
    heal=heal,
    parameters={"count": Parameter(3, 1, 10, "how many payments")},
    mild={"count": 1},
    severe={"count": 8},
)
