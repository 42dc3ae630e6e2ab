"""A deployment writes a status that payops was not told of: `on_hold`, for payments under review.

Whether such a payment is paid nobody here can tell, so no rate is true any more until the word is
mapped (`ledgers.payments.statuses`; runbook 000, payment success rate).
"""

from __future__ import annotations

from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, put_back, rows_of, set_columns

WORD = "on_hold"
_CHECKED = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = quote_ident(%s)::regclass AND contype = 'c' AND conkey = (
    SELECT ARRAY[attnum] FROM pg_attribute
    WHERE attrelid = quote_ident(%s)::regclass AND attname = %s)
"""


def inject(lab: Lab, parameters: Parameters) -> None:
    ledger = mapping(lab).payments
    names = {
        name: sql.Identifier(column)
        for name, column in (
            ("table", ledger.table),
            ("id", ledger.columns.id),
            ("status", ledger.columns.status),
            ("created_at", ledger.columns.created_at or ""),
            ("reference", ledger.columns.processor_ref or ""),
        )
    }
    newest = lab.postgres.execute(
        sql.SQL(
            "SELECT {id}::text, {reference} FROM {table} WHERE {status}::text = ANY(%s) "
            "AND NOT ({reference} = ANY(%s)) ORDER BY {created_at} DESC LIMIT %s"
        ).format(**names),
        (list(ledger.statuses["succeeded"]), sorted(lab.held()), parameters["count"]),
    ).fetchall()
    if not newest:
        raise LabError("the lab has no paid payments", hint="start one with more payments")
    ids = [row[0] for row in newest]
    about = (ledger.table, ledger.table, ledger.columns.status)
    constraints = lab.postgres.execute(_CHECKED, about).fetchall()
    lab.remember(
        held=[row[1] for row in newest],
        rows=rows_of(lab, ledger.table, ledger.columns.id, ids),
        constraints=[list(one) for one in constraints],
    )
    with lab.postgres.transaction():
        for name, _ in constraints:
            _alter(lab, sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(name)))
        set_columns(lab, ledger.table, ledger.columns.id, ids, {ledger.columns.status: WORD})


def heal(lab: Lab) -> None:
    kept = lab.recall()
    if "rows" not in kept:
        return
    with lab.postgres.transaction():
        put_back(lab, mapping(lab).payments.table, kept["rows"])
        for name, definition in kept["constraints"]:
            quoted = sql.Identifier(name)
            _alter(lab, sql.SQL("DROP CONSTRAINT IF EXISTS {}").format(quoted))
            # As the server worded it itself.
            _alter(lab, sql.SQL("ADD CONSTRAINT {} {}").format(quoted, sql.SQL(definition)))


def _alter(lab: Lab, what: sql.Composed) -> None:
    table = sql.Identifier(mapping(lab).payments.table)
    lab.postgres.execute(sql.SQL("ALTER TABLE {} {}").format(table, what))


SCENARIO = Scenario(
    title="Payments have a status that is not mapped",
    runbook="000, payment success rate",
    breaks="the newest paid payments have the status on_hold, which no mapping knows",
    expected={"payments.success-rate": Status.WARN},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "ireti-pos"),  # the others' column is an enumeration
    parameters={"count": Parameter(2, 1, 5, "how many payments; any is WARN")},
    outside="say in the configuration what the new status means",
)
