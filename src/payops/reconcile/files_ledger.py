"""A ledger from files: columns named as in the table's mapping, or by payops' own words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payops.errors import PayopsError
from payops.reconcile.files_duckdb import given, literal, quoted, statement, write
from payops.reconcile.files_duckdb import rows as query
from payops.reconcile.files_table import Table, unreadable
from payops.reconcile.spool_schema import LEDGER

if TYPE_CHECKING:
    import duckdb

    from payops.config.ledger import Ledger

# The spool's column: the mapping's key.
_KEYS = {
    "key": "id",
    "created_us": "created_at",
    "updated_us": "updated_at",
    "completed_us": "completed_at",
    "payment_key": "payment_id",
}
_AMOUNTS = ("amount", "deduction", "refunded_amount", "fee")
_NEEDED = ("key", "status", "amount", "created_us")


def write_ledger(
    database: duckdb.DuckDBPyConnection,
    tables: list[Table],
    ledger: Ledger,
    window: tuple[datetime, datetime],
    into: Path,
) -> int:
    """Write the rows of a window as the spool wants them; gives how many there are.

    A row that is in several files is taken once, from the last. Raises PayopsError with file and
    line.
    """
    import duckdb

    since, until = (round(edge.timestamp() * 1_000_000) for edge in window)
    try:
        rows = [_select(table, ledger, number) for number, table in enumerate(tables)]
        if not rows:
            empty = ", ".join(f"NULL AS {quoted(each)}" for each in LEDGER)
            return write(database, f"SELECT {empty} WHERE false", into)
        select = statement(
            "ledger",
            columns=", ".join(map(quoted, LEDGER)),
            rows=" UNION ALL ".join(rows),
            since=since,
            until=until,
        )
        return write(database, select, into)
    except duckdb.Error as error:
        raise unreadable([table.path for table in tables], error) from error


def _select(table: Table, ledger: Ledger, number: int) -> str:
    expressions = {column: _expression(table, ledger, column) for column in LEDGER}
    for column in _NEEDED:
        if _found(table, ledger, column) is None:
            key = _KEYS.get(column, column)
            mapped = getattr(ledger.columns, key)
            raise PayopsError(
                f"{table.path}: has no column {mapped!r} ({key})",
                hint=f"its columns are {', '.join(table.columns[:12])}",
            )
    fields = ", ".join(f"{text} AS {quoted(column)}" for column, text in expressions.items())
    _check(table, ledger, expressions)
    return f"SELECT {fields}, {number} AS file_ FROM {table.view}"  # noqa: S608  all quoted


def _check(table: Table, ledger: Ledger, expressions: dict[str, str]) -> None:
    """Raise PayopsError for the first record whose key, time or amount cannot be read."""
    wrong = []
    for column in LEDGER:
        name = _found(table, ledger, column)
        if name is None or not (column.endswith("_us") or column in ("key", *_AMOUNTS)):
            continue
        given = f"nullif({quoted(name)}, '') IS NOT NULL"
        needed = "true" if column in ("key", "created_us") else given
        wrong.append(f"WHEN {needed} AND {expressions[column]} IS NULL THEN {literal(name)}")
    cases = " ".join(wrong)
    found = query(table.database, statement("wrong", cases=cases, rows=f"FROM {table.view}"))
    if not found:
        return
    ((record, name),) = found
    value = table.value(record, [name])
    raise table.error(
        record,
        f"{name} {value!r} cannot be read" if value else f"{name} is empty",
        "times are ISO 8601 or epoch seconds, amounts plain decimal numbers",
    )


def _found(table: Table, ledger: Ledger, column: str) -> str | None:
    """The file's column: as mapped, else by the mapping's key, else as the spool calls it."""
    key = _KEYS.get(column, column)
    for name in (getattr(ledger.columns, key), key, column):
        if name and name in table.columns:
            return str(name)
    return None


def _expression(table: Table, ledger: Ledger, column: str) -> str:
    name = _found(table, ledger, column)
    value = given([name] if name is not None else [])
    if column == "currency":
        return f"lower(coalesce(nullif(trim({value}), ''), {literal(ledger.currency)}))"
    if column.endswith("_us"):
        if name == column:  # another spool's
            return f"TRY_CAST({value} AS BIGINT)"
        return f"micros_of({value}, {literal(ledger.timezone)})"
    if column in _AMOUNTS:
        return f"amount_of({value})"
    return value
