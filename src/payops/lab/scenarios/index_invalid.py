"""A unique index could not be made, and was left behind: each write pays for it, no query uses it.

CREATE INDEX CONCURRENTLY leaves it when it fails, here over rows that are alike (runbook 000, slow
queries). A migration that was tried once more is well, and nobody looks at what the first one left.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.shop import mapping

INDEX = sql.Identifier("lab_index_invalid")


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    ledger = mapping(lab).payments
    try:
        lab.postgres.execute(
            sql.SQL("CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({})").format(
                INDEX, sql.Identifier(ledger.table), sql.Identifier(ledger.columns.status)
            )
        )
    except psycopg.errors.UniqueViolation:
        return
    raise LabError(f"no two payments of {ledger.table} have one status")


def heal(lab: Lab) -> None:
    lab.postgres.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(INDEX))


SCENARIO = Scenario(
    title="An index of the ledger is invalid",
    runbook="000, slow queries",
    breaks="an index of the payments, whose making failed, is kept up by each write and never used",
    expected={"postgres.indexes": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    outside="build the index anew (REINDEX CONCURRENTLY)",
)
