"""A past so long that a missing index shows: for tests and benchmarks of every system.

What a lab's tables hold is told again and again, each time of earlier moments and with keys and
names of its own. So each table grows as the business would have it grow: with its own words,
amounts and gaps, and with what refers to what. Stripe knows none of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from payops.config.load import load
from payops.lab.info import LabInfo

# Older than all that a check looks at; a million in a year is a shop of middling size.
_BEFORE_DAYS = 40
_DAYS = 365
# Fewer rows are a list of the system's own, its payment processors say, and no business grows it.
_FEWEST = 10
# A text column of so many different values holds names, one of fewer the words of a list.
_NAMES = 40
# A document that may be left out is, when it is longer (characters): Stripe's events as they came.
_LONG = 300
# Rows, by table, that a healthy system has of today and not of long ago: commissions are collected.
_OF_TODAY = {"external_transactions": "NOT commission_collected"}
_DOCUMENTS = frozenset({"json", "jsonb"})
_TEXTS = frozenset({"text", "varchar"})
_TIMES = frozenset({"timestamptz", "timestamp"})
_WHOLE = frozenset({"int2", "int4", "int8"})

_COLUMNS = """
SELECT owner.relname, attname, typname, attnotnull,
  CASE WHEN typname = 'varchar' AND atttypmod > 4 THEN atttypmod - 4 END,
  EXISTS (
    SELECT FROM pg_index
    WHERE indrelid = owner.oid AND indisunique AND indkey::text = attnum::text
  ),
  (
    SELECT target.relname FROM pg_constraint JOIN pg_class AS target ON target.oid = confrelid
    WHERE contype = 'f' AND conrelid = owner.oid AND conkey = ARRAY[attnum]
  ),
  pg_get_serial_sequence(format('%I', owner.relname), attname)
FROM pg_class AS owner
JOIN pg_attribute ON attrelid = owner.oid AND attnum > 0 AND NOT attisdropped
JOIN pg_type ON pg_type.oid = atttypid
WHERE owner.relkind = 'r' AND owner.relnamespace = 'public'::regnamespace
ORDER BY owner.relname, attnum
"""
# But for those of constraints, which others refer to.
_INDEXES = """
SELECT relname, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = format('%%I', %s::text)::regclass
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@dataclass(frozen=True)
class _Column:
    """`longest` is a varchar's length, `refers_to` the table of which it holds a key."""

    name: str
    type: str
    is_needed: bool
    longest: int | None
    is_key: bool
    refers_to: str | None
    sequence: str | None


def crowd(info: LabInfo, rows: int) -> dict[str, int]:
    """Let the mapped ledgers of payments have about so many rows, and the other tables grow along.

    Returns how many rows each of the tables that grew has then.
    """
    ledgers = load(info.config).settings.ledgers.values()
    of = frozenset(ledger.table for ledger in ledgers if ledger.kind != "refunds")
    with psycopg.connect(info.postgres_dsn, autocommit=True) as db:
        return _Crowd(db, of).grow(rows)


class _Crowd:
    """`of` are the tables that shall have so many rows."""

    def __init__(self, db: psycopg.Connection[Any], of: Collection[str]) -> None:
        self._db = db
        self._of = of
        self._tables = self._catalog()
        counts = {name: self._number("count(*)", name) for name in self._tables}
        self._growing = [name for name, count in counts.items() if count >= _FEWEST]
        self._apart = {
            name: self._number("max(id) + 1", name)
            for name in self._growing
            if any(one.name == "id" and one.type in _WHOLE for one in self._tables[name])
        }

    def grow(self, rows: int) -> dict[str, int]:
        """Tell all of it again, as often as it takes."""
        told = {name: self._set_aside(name) for name in self._growing}
        along = rows // max(told[name] for name in self._of)
        self._db.execute("SET session_replication_role = replica")  # what refers to what, we keep
        for name in self._growing:
            self._tell_again(name, rows // told[name] if name in self._of else along)
        self._db.execute("RESET session_replication_role")
        for name in self._growing:
            self._db.execute(_sql("VACUUM (ANALYZE) {}", name))
        return {name: self._number("count(*)", name) for name in self._growing}

    def _catalog(self) -> Mapping[str, list[_Column]]:
        found: dict[str, list[_Column]] = defaultdict(list)
        for table, *column in self._db.execute(_COLUMNS):
            found[table].append(_Column(*column))
        return found

    def _set_aside(self, table: str) -> int:
        """Keep the rows that are told again apart; their number."""
        without: list[sql.Composable] = [sql.SQL(_OF_TODAY.get(table, "false"))]
        # What one of the system's own lists refers to is alone of its kind, as that list is.
        without += [
            _sql("id IN (SELECT {} FROM {})", column.name, name)
            for name, columns in self._tables.items()
            if name not in self._growing
            for column in columns
            if column.refers_to == table
        ]
        self._db.execute(
            _sql(
                "CREATE TEMPORARY TABLE {} AS SELECT * FROM {} WHERE ({}) IS NOT TRUE",
                _aside(table),
                table,
                sql.SQL(" OR ").join(without),
            )
        )
        return self._number("count(*)", _aside(table))

    def _tell_again(self, table: str, times: int) -> None:
        columns = self._tables[table]
        indexes = self._db.execute(_INDEXES, [table]).fetchall()
        for name, _ in indexes:
            self._db.execute(_sql("DROP INDEX {}", name))
        self._db.execute(
            _sql(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE"
                " SELECT {} FROM {} CROSS JOIN generate_series(1, {}) AS time",
                table,
                sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
                sql.SQL(", ").join(self._told_again(table, column, times) for column in columns),
                _aside(table),
                sql.Literal(times),
            )
        )
        for _, made in indexes:  # a sorted one is made sooner than row by row
            self._db.execute(made)
        for column in columns:
            if column.sequence:
                last = self._number("max({})", table, column)
                self._db.execute("SELECT setval(%s, %s)", [column.sequence, last])

    def _told_again(self, table: str, column: _Column, times: int) -> sql.Composable:
        """A column's value of the `time`th telling."""
        name = sql.Identifier(column.name)
        if column.refers_to in self._growing:
            return _sql(
                "CASE WHEN {0} IN (SELECT id FROM {1}) THEN {2} ELSE {0} END",
                name,
                _aside(column.refers_to),
                self._another(column, column.refers_to),
            )
        if column.type in _TIMES:
            ago = _sql("{} + time * {}", sql.Literal(_BEFORE_DAYS), sql.Literal(_DAYS / times))
            return _sql("{} - interval '1 day' * ({})", name, ago)
        if column.type in _DOCUMENTS and not column.is_needed:
            length = self._number("coalesce(avg(length({}::text)), 0)", table, column)
            return name if length <= _LONG else sql.SQL("NULL")
        if column.is_key or column.type == "uuid" or self._names(table, column):
            return self._another(column, table)
        return name

    def _names(self, table: str, column: _Column) -> bool:
        """Whether its texts are names of something, and not the words of a list."""
        if column.type not in _TEXTS or column.refers_to:
            return False
        return self._number("count(DISTINCT {})", table, column) >= _NAMES

    def _another(self, column: _Column, table: str) -> sql.Composable:
        """A key or name of `table`: another each time, and the same wherever it stands."""
        name = sql.Identifier(column.name)
        if column.type == "uuid":
            return _sql("md5({}::text || '/' || time)::uuid", name)
        if column.type in _WHOLE:
            return _sql("{} + time * {}", name, sql.Literal(self._apart[table]))
        # What Stripe's ids begin with stays: `pi_`, `evt_`.
        another = _sql("left({0}, 4) || md5({0} || '/' || time)", name)
        return _sql("left({}, {})", another, sql.Literal(column.longest or 100))

    def _number(self, what: str, table: str, column: _Column | None = None) -> int:
        told = _sql(what, *([column.name] if column else []))
        row = self._db.execute(_sql("SELECT {} FROM {}", told, table)).fetchone()
        return int(row[0]) if row else 0


def _aside(table: str) -> str:
    return f"payops {table}"


def _sql(text: str, *parts: str | sql.Composable) -> sql.Composed:
    """The text with its places filled; a word is the name of a table or column."""
    places = [sql.Identifier(part) if isinstance(part, str) else part for part in parts]
    return sql.SQL(text).format(*places)
