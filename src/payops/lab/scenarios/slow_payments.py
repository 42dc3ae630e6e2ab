"""Payments are completed only after 15 seconds.

P95 latency above 10 s in an hour is an alert (runbook 000); customers press the button twice. The
time is lost between Stripe's answer and the row: a queue, a worker, a lock.
"""

from __future__ import annotations

from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.choosing import keep_payments, restore_payments
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping


def inject(lab: Lab, parameters: Parameters) -> None:
    ledger = mapping(lab).payments
    columns = ledger.columns
    names = {
        "table": sql.Identifier(ledger.table),
        "id": sql.Identifier(columns.id),
        "made": sql.Identifier(columns.created_at),
        "completed": sql.Identifier(columns.completed_at or columns.created_at),
    }
    # The session's zone is UTC: what a column without one means.
    query = sql.SQL(
        "SELECT to_jsonb(t) FROM {table} t WHERE {completed} IS NOT NULL "
        "AND {made}::timestamptz > now() - interval '61 minutes'"
    ).format(**names)
    found = lab.postgres.execute(query).fetchall()
    held = lab.held()
    rows = [row[0] for row in found if row[0][columns.processor_ref] not in held]
    if not rows:
        raise LabError("the lab has no recent payments", hint="start one with more payments")
    keys = keep_payments(lab, rows)
    lab.postgres.execute(
        sql.SQL(
            "UPDATE {table} SET {completed} = {made} + make_interval(secs => %s) "
            "WHERE {id}::text = ANY(%s)"
        ).format(**names),
        (parameters["seconds"], keys),
    )


SCENARIO = Scenario(
    title="Payments are slow",
    runbook="000, slow processing",
    breaks="payments of the last hour were completed 15 s after they were made",
    expected={"payments.latency": Status.CRIT},
    inject=inject,
    heal=restore_payments,
    presets=("reference", "ireti-pos", "v-edfinance"),  # the others store no such time
    parameters={"seconds": Parameter(15, 1, 600, "how long each took; more than 10 s is an alert")},
    mild={"seconds": 7},
    severe={"seconds": 120},
    differs={"mild": {"payments.latency": Status.WARN}},
    outside="find where the time is lost between Stripe's answer and the row, and put it right",
)
