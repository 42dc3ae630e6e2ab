"""The application fails after its first statement, again and again: most transactions roll back.

Customers see an error, whatever the application logs (runbook 002; runbook 000, data that is not
saved). Nothing waits, and no row is wrong: it was never written.
"""

from __future__ import annotations

import psycopg

from payops.checks.postgres.rollbacks import ENOUGH
from payops.domain.status import Status
from payops.lab.counting import begin_anew
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(counted=True)
    begin_anew(lab)
    with psycopg.connect(
        lab.info.postgres_dsn, connect_timeout=5, application_name="checkout"
    ) as failing:
        for _ in range(2 * ENOUGH):
            failing.execute("SELECT 1")
            failing.rollback()


def heal(lab: Lab) -> None:
    if lab.recall().get("counted"):
        begin_anew(lab)


SCENARIO = Scenario(
    title="Most transactions are rolled back",
    runbook="002, a timeout during the transaction; 000, database connection issues",
    breaks="an application named checkout begins transactions and rolls each of them back",
    expected={"postgres.rollbacks": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    holds=frozenset({"counters of the database"}),
    outside="find out in the application's log why they are rolled back",
)
