"""The columns of a mapped table as expressions that give the spool's texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from payops.errors import Failure, SourceError
from payops.sources.postgres_errors import missing, nearest

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.ledger_table import LedgerTable
    from payops.sources.postgres import Name, PostgresSource

_TIMES = frozenset({"timestamptz", "timestamp", "date"})
_WHOLE = frozenset({"int2", "int4", "int8"})
_FRACTIONS = frozenset({"numeric", "float4", "float8", "money"})
_TEXTS = frozenset({"text", "varchar", "bpchar"})
# What Postgres takes for a number, spelled out, so that one odd text does not end the whole COPY.
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"

# Our word: the mapping's.
_PLAIN = {
    "id": "id",
    "status": "status",
    "currency": "currency",
    "processor_ref": "processor_ref",
    "charge_ref": "charge_ref",
    "session_ref": "session_ref",
    "idempotency_key": "idempotency_key",
    "order_id": "order_id",
    "customer_id": "customer_id",
    "failure_code": "failure_code",
    "payment_key": "payment_id",
}
_NUMBERS = ("amount", "deduction", "refunded_amount", "fee")
_MOMENTS = {"created_us": "created_at", "updated_us": "updated_at", "completed_us": "completed_at"}


@dataclass(frozen=True)
class _Column:
    schema: str
    table: str
    column: str
    type: str
    type_schema: str
    type_name: str
    labels: list[str] | None


@dataclass(frozen=True)
class CopyColumns:
    """The mapping of one table, with the types that the catalog gives its columns."""

    ledger: Ledger
    table: LedgerTable
    types: Mapping[str, str]

    def expressions(self) -> dict[str, Name]:
        """What fills the places of `sql/ledger_copy.sql`."""
        plain = {place: self._column(word) for place, word in _PLAIN.items()}
        numbers = {word: self._number(word) for word in _NUMBERS}
        moments = {place: self._microseconds(word) for place, word in _MOMENTS.items()}
        edges = [self.table.created(">=", "since"), self.table.created("<", "until")]
        matches: Name = sql.SQL(" AND ").join(edges)
        return {**plain, **numbers, **moments, "table": self.table.name, "matches": matches}

    def _column(self, word: str) -> sql.Composable:
        return self.table.column(getattr(self.ledger.columns, word))

    def _type(self, word: str) -> str:
        return self.types.get(getattr(self.ledger.columns, word), "")

    def _number(self, word: str) -> sql.Composable:
        """Exact decimal text: a float by its shortest form (19.99), and without an exponent."""
        column, kind = self._column(word), self._type(word)
        if not kind:
            return sql.SQL("NULL")
        if kind in _WHOLE:
            return sql.SQL("{}::text").format(column)
        if kind in _TEXTS:
            is_number = sql.SQL("{}::text ~ {}").format(column, sql.Literal(_NUMBER))
            return sql.SQL("CASE WHEN {} THEN {}::numeric::text END").format(is_number, column)
        if kind == "money":
            return sql.SQL("{}::numeric::text").format(column)
        return sql.SQL(
            "CASE WHEN {0}::text NOT IN ('NaN', 'Infinity', '-Infinity')"
            " THEN {0}::text::numeric::text END"
        ).format(column)

    def _microseconds(self, word: str) -> sql.Composable:
        column, kind = self._column(word), self._type(word)
        if not kind:
            return sql.SQL("NULL")
        moment = column
        if kind != "timestamptz":
            naive = sql.SQL("{}::timestamp").format(column) if kind == "date" else column
            moment = sql.SQL("({} AT TIME ZONE %(zone)s::text)").format(naive)
        # Before Postgres 14 extract gives a double, which is exact to the microsecond but rounded.
        # Infinity is no time, nor is what Python has no date for: one such row would stop all.
        return sql.SQL(
            "CASE WHEN {0} BETWEEN '0001-01-02Z' AND '9999-12-30Z'"
            " THEN round((extract(epoch FROM {0})::numeric) * 1000000)::bigint END"
        ).format(moment)


def columns_of(source: PostgresSource, ledger: Ledger) -> CopyColumns:
    """Hold all of the mapping against the catalog. Raises SourceError SCHEMA."""
    table = source.table(ledger)
    schema, _, name = ledger.table.partition(".")
    found = source.rows("columns", _Column, whole=ledger.table, schema=schema, name=name)
    types = {column.column: column.type for column in found}
    made = CopyColumns(ledger, table, types)
    for words, good in (
        (_PLAIN.values(), None),
        (_NUMBERS, _WHOLE | _FRACTIONS | _TEXTS),
        (_MOMENTS.values(), _TIMES),
    ):
        for word in words:
            column = getattr(ledger.columns, word)
            if not column:
                continue
            if column not in types:
                near = nearest(column, [(each, each) for each in types])
                raise missing(f'table "{ledger.table}" has no column "{column}" ({word})', near)
            if good is not None and types[column] not in good:
                raise SourceError(
                    "postgres",
                    Failure.SCHEMA,
                    f'table "{ledger.table}": {word} is mapped to a column of type {types[column]}',
                    hint=f"map {word} to a column of one of these: {', '.join(sorted(good))}",
                )
    return made
