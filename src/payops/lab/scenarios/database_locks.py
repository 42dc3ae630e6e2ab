"""A job keeps a payment's row locked, and all that need the row wait for it.

A settlement job locked the row and went on to do something else; webhooks and refunds of that
payment hang (runbook 002: a timeout during the database's transaction). The one at the root waits
for nobody: it is idle in its transaction.
"""

from __future__ import annotations

from psycopg import sql

from payops.domain.status import Status
from payops.lab.holding import Held, hold, release
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping


def inject(lab: Lab, parameters: Parameters) -> None:
    # Locked and never written: whoever gets the row in the end leaves it as it is.
    ledger = mapping(lab).payments
    statement = sql.SQL("SELECT 1 FROM {} ORDER BY {} LIMIT 1 FOR UPDATE").format(
        sql.Identifier(ledger.table), sql.Identifier(ledger.columns.id)
    )
    lock = statement.as_string(lab.postgres)
    root = Held("settlement-job", ("BEGIN", lock))
    hold(lab, [root, *[Held("webhook-worker", (lock,), waits=True)] * parameters["waiting"]])


def heal(lab: Lab) -> None:
    release(lab)


SCENARIO = Scenario(
    title="Payments wait for a lock",
    runbook="002, a timeout during the transaction; 000",
    breaks="settlement-job holds a lock on a payment's row, and others wait for it",
    expected={"postgres.locks": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    parameters={"waiting": Parameter(12, 1, 25, "sessions that wait; more than 10 are CRIT")},
    # Whoever waits for more than 5 s is WARN and for more than 30 s CRIT, however few they are.
    mild={"waiting": 5},
    severe={"waiting": 24},
    differs={"mild": {"postgres.locks": Status.WARN}},
    outside="end the session of settlement-job, which holds the lock",
)
