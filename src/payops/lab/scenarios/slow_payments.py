"""Payments are completed only after 15 seconds.

P95 latency above 10 s in an hour is an alert (runbook 000); customers press the button twice. The
time is lost between Stripe's answer and the row: a queue, a worker, a lock.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, put_back


def inject(lab: Lab, parameters: Parameters) -> None:
    found = lab.postgres.execute(
        "SELECT to_jsonb(p) FROM payments p WHERE completed_at IS NOT NULL "
        "AND created_at > now() - interval '61 minutes'"
    ).fetchall()
    rows = [row[0] for row in found if row[0]["processor_ref"] not in lab.held()]
    if not rows:
        raise LabError("the lab has no recent payments", hint="start one with more payments")
    lab.remember(payments=rows, held=[row["processor_ref"] for row in rows])
    lab.postgres.execute(
        "UPDATE payments SET completed_at = created_at + make_interval(secs => %s) "
        "WHERE id::text = ANY(%s)",
        (parameters["seconds"], [row["id"] for row in rows]),
    )


def heal(lab: Lab) -> None:
    put_back(lab, mapping(lab).payments.table, lab.recall().get("payments", []))


SCENARIO = Scenario(
    title="Payments are slow",
    runbook="000, slow processing",
    breaks="payments of the last hour were completed 15 s after they were made",
    expected={"payments.latency": Status.CRIT},
    inject=inject,
    heal=heal,
    parameters={"seconds": Parameter(15, 1, 600, "how long each took; more than 10 s is an alert")},
    mild={"seconds": 7},
    severe={"seconds": 120},
    differs={"mild": {"payments.latency": Status.WARN}},
    outside="find where the time is lost between Stripe's answer and the row, and put it right",
)
