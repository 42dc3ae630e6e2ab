"""Autovacuum was turned off for the ledger, for a migration; dead rows pile up since.

The table and its indexes grow, and each lookup gets slower (runbook 003, monthly maintenance). The
payments are as they were: what is dead was added and deleted again.
"""

from __future__ import annotations

from psycopg import sql

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping

_ADDED = """
INSERT INTO payments (id, order_id, amount, currency, status)
SELECT gen_random_uuid(), 'lab-imported-twice', 1000, 'usd', 'canceled'
FROM generate_series(1, %s::integer)
"""


def inject(lab: Lab, parameters: Parameters) -> None:
    lab.remember(off=True)
    lab.postgres.execute(_table(lab, "ALTER TABLE {} SET (autovacuum_enabled = false)"))
    # An INSERT that is rolled back leaves its rows dead; nobody ever sees them.
    with lab.postgres.transaction(force_rollback=True):
        lab.postgres.execute(_ADDED, (parameters["dead"],))
    lab.postgres.execute("SELECT pg_stat_force_next_flush()")
    lab.postgres.execute("SELECT 1")


def heal(lab: Lab) -> None:
    if lab.recall().get("off"):
        lab.postgres.execute(_table(lab, "ALTER TABLE {} RESET (autovacuum_enabled)"))
        lab.postgres.execute(_table(lab, "VACUUM {}"))


def _table(lab: Lab, statement: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(mapping(lab).payments.table))


SCENARIO = Scenario(
    title="Autovacuum does not come to the ledger",
    runbook="003, monthly maintenance; 000, slow queries",
    breaks="autovacuum is turned off for the payments, and thousands of their rows are dead",
    expected={"postgres.vacuum": Status.CRIT},
    inject=inject,
    heal=heal,
    parameters={
        "dead": Parameter(12_000, 10_000, 200_000, "dead rows; fewer than 10,000 nobody feels")
    },
    outside="switch autovacuum on for the ledger, and VACUUM it",
)
