"""Which payments a scenario strikes: paid ones of any system, found by its preset's mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from payops.errors import LabError
from payops.lab.running import Lab
from payops.lab.shop import mapping, put_back, rows_of

Row = dict[str, Any]

# Beyond the grace time in which a reconciliation waits for either side.
YOUNGEST_MIN = 20


_REFER_TO = """
SELECT conrelid::regclass::text AS referring, attname
FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND confrelid = quote_ident(%s)::regclass AND array_length(conkey, 1) = 1
"""


def paid(
    lab: Lab, count: int, *, minutes: int, youngest: int = YOUNGEST_MIN, alone: bool = False
) -> list[Row]:
    """`count` payments that succeeded, as JSON, made between `minutes` and `youngest` minutes ago:
    evenly out of them, the newest first. In a quiet shop they reach back further.

    None that another scenario has changed, and with `alone` none that a row of another table (its
    refund, say) refers to. Raises LabError where there are too few.
    """
    ledger = mapping(lab).payments
    columns, held = ledger.columns, lab.held()
    # The session's zone is UTC: what a column without one means.
    created = sql.SQL("{}::timestamptz").format(sql.Identifier(columns.created_at))
    query = sql.SQL(
        "SELECT to_jsonb(t), {created} > now() - make_interval(mins => %(minutes)s) FROM {table} t "
        "WHERE {status}::text = ANY(%(words)s) AND {reference} LIKE 'pi\\_%%' "
        "AND {created} < now() - make_interval(mins => %(youngest)s) ORDER BY {created} DESC"
    ).format(
        table=sql.Identifier(ledger.table),
        status=sql.Identifier(columns.status),
        reference=sql.Identifier(columns.processor_ref or columns.id),
        created=created,
    )
    given = {
        "words": list(ledger.statuses["succeeded"]),
        "minutes": minutes,
        "youngest": youngest,
    }
    every = lab.postgres.execute(query, given).fetchall()
    referred = _referred_to(lab) if alone else set()
    found = [
        (row, is_recent)
        for row, is_recent in every
        if row[columns.processor_ref] not in held and str(row[columns.id]) not in referred
    ]
    recent = [row for row, is_recent in found if is_recent]
    rows = recent if len(recent) >= count else [row for row, _ in found[:count]]
    if len(rows) < count:
        raise LabError(
            f"the lab has {len(rows)} payments that fit, not {count}",
            hint="choose fewer with count=, or start a lab with more payments",
        )
    return [rows[index * len(rows) // count] for index in range(count)]


def _referred_to(lab: Lab) -> set[str]:
    """The keys of payments that rows of other tables refer to: they cannot go without those."""
    found: set[str] = set()
    for table, column in lab.postgres.execute(_REFER_TO, (mapping(lab).payments.table,)).fetchall():
        query = sql.SQL("SELECT DISTINCT {column}::text FROM {table} WHERE {column} IS NOT NULL")
        there = lab.postgres.execute(
            query.format(column=sql.Identifier(column), table=sql.SQL(table))
        )
        found |= {key for (key,) in there.fetchall()}
    return found


def keep_payments(lab: Lab, rows: Sequence[Row]) -> list[str]:
    """Remember these rows for `restore_payments`, and hold them against other scenarios; their
    keys."""
    ledger = mapping(lab).payments
    keys = [str(row[ledger.columns.id]) for row in rows]
    kept = lab.recall()
    lab.remember(
        payments=[*kept.get("payments", ()), *rows_of(lab, ledger.table, ledger.columns.id, keys)],
        held=[*kept.get("held", ()), *(row[ledger.columns.processor_ref] for row in rows)],
    )
    return keys


def restore_payments(lab: Lab) -> None:
    """Make the rows that were kept what they were; nothing happens where none were."""
    put_back(lab, mapping(lab).payments.table, lab.recall().get("payments", []))
