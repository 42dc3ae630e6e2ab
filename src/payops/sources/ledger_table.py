"""A mapped table as the catalog knows it: turns column names into SQL expressions.

The expressions fill the placeholders of `sql/ledger_rows.sql`. Conditions compare the bare column
with a parameter of the column's own type, so that the application's indexes serve them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from payops.errors import Failure, SourceError
from payops.sources.identifier import identifier
from payops.sources.postgres_errors import missing, nearest

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.postgres import PostgresSource

_OPTIONAL = frozenset({"processor_ref", "currency", "failure_code"})
_FLOATS = frozenset({"float4", "float8"})
_TEXTS = frozenset({"text", "varchar"})
_NUMBERS = _FLOATS | _TEXTS | {"numeric", "int2", "int4", "int8", "money"}
_TIMES = frozenset({"timestamptz", "timestamp", "date"})

# 1, 100 or 1000 minor units in a major one (Stripe's lists of currencies, from domain.money).
_FACTOR = sql.SQL(
    "CASE WHEN currency = ANY(%(zero_decimal)s::text[]) THEN 1"
    " WHEN currency = ANY(%(three_decimal)s::text[]) THEN 1000 ELSE 100 END"
)


@dataclass(frozen=True)
class _ColumnRow:
    schema: str
    table: str
    column: str
    type: str
    type_schema: str
    type_name: str
    labels: list[str] | None


class LedgerTable:
    """One table and the types of its columns."""

    def __init__(self, ledger: Ledger, columns: Sequence[_ColumnRow]) -> None:
        self._ledger = ledger
        self._columns = {column.column: column for column in columns}
        self.name = identifier(columns[0].schema, columns[0].table)

    def column(self, name: str) -> sql.Composable:
        """A column by its name; NULL where the mapping leaves it out."""
        return identifier(name) if name else sql.SQL("NULL")

    @property
    def created_at(self) -> sql.Composable:
        """The time of creation as a timestamptz."""
        return self.moment(self._ledger.columns.created_at)

    def moment(self, name: str) -> sql.Composable:
        """A column of times as a timestamptz; NULL where the mapping leaves it out, or where it
        holds no times."""
        column = self.column(name)
        if not name or name not in self._columns:
            return sql.SQL("NULL::timestamptz")
        match self._type(name):
            case kind if kind not in _TIMES:
                return sql.SQL("NULL::timestamptz")
            case "timestamptz":
                return column
            case "timestamp":
                return sql.SQL("({} AT TIME ZONE %(zone)s::text)").format(column)
            case _:
                return sql.SQL("({}::timestamp AT TIME ZONE %(zone)s::text)").format(column)

    @property
    def amount(self) -> sql.Composable:
        """The amount as an exact numeric; a float by its shortest decimal form (19.99); a text that
        is no amount is NULL, so that one odd row does not take the others' answer away."""
        column = self.column(self._ledger.columns.amount)
        match self._type(self._ledger.columns.amount):
            case kind if kind in _FLOATS:
                return sql.SQL("{}::text::numeric").format(column)
            case kind if kind in _TEXTS:
                return sql.SQL(
                    "CASE WHEN {0} ~ '^ *[+-]?[0-9]{{1,30}}([.][0-9]{{0,30}})? *$'"
                    " THEN {0}::numeric END"
                ).format(column)
            case _:
                return sql.SQL("{}::numeric").format(column)

    @property
    def paid_otherwise(self) -> sql.Composable:
        """Whether the deduction (a gift card) covered all of it, so that Stripe was never asked."""
        name = self._ledger.columns.deduction
        if not name:
            return sql.SQL("false")
        return sql.SQL("coalesce({}::numeric >= {}::numeric, false)").format(
            self.column(name), self.column(self._ledger.columns.amount)
        )

    @property
    def in_minor_units(self) -> sql.Composable:
        """`amount` of the inner query in minor units of `currency`; a float's is rounded to them,
        row by row."""
        factor = _FACTOR if self._ledger.amount_unit == "major" else sql.SQL("1")
        scaled = sql.SQL("amount * {}").format(factor)
        if self._type(self._ledger.columns.amount) in _FLOATS:
            return sql.SQL("round({})").format(scaled)
        return scaled

    def has_status(self, values: Sequence[str]) -> tuple[sql.Composable, list[str]]:
        """Condition on the status, and its parameter `%(statuses)s`: text compared exactly, or
        case-blind where the mapping says so.

        An enum is compared as itself, with those of its labels that are meant, and needs none.
        """
        exact = self._ledger.match_case
        wanted = set(values) if exact else {value.lower() for value in values}
        name = self._ledger.columns.status
        column, found = self.column(name), self._columns[name]
        if found.labels is not None:
            labels = [v for v in found.labels if (v if exact else v.lower()) in wanted]
            return is_label(column, found.type_schema, found.type_name, labels), labels
        if not exact:
            condition = sql.SQL("lower({}::text) = ANY(%(statuses)s::text[])").format(column)
            return condition, sorted(wanted)
        return sql.SQL("{}::text = ANY(%(statuses)s::text[])").format(column), list(values)

    def created(self, comparison: str, edge: str | sql.Composable) -> sql.Composable:
        """Condition `created_at < %(edge)s` (or `>=`), the parameter or expression a timestamptz.

        A column without a zone is compared twice: bare, a day wider, for the index; and as the
        moment that it means, since an hour of the clock can come twice in autumn.
        """
        column = self.column(self._ledger.columns.created_at)
        asked = sql.Placeholder(edge) if isinstance(edge, str) else edge
        moment = sql.SQL("{}::timestamptz").format(asked)
        sign = sql.SQL(comparison)
        exact = sql.SQL("{} {} {}").format(self.created_at, sign, moment)
        if self._type(self._ledger.columns.created_at) == "timestamptz":
            return exact
        wider = sql.SQL("+" if comparison.startswith("<") else "-")
        return sql.SQL("{} {} ({} AT TIME ZONE %(zone)s::text) {} interval '1 day' AND {}").format(
            column, sign, moment, wider, exact
        )

    def _type(self, name: str) -> str:
        return self._columns[name].type


def is_label(
    column: sql.Composable, schema: str, name: str, labels: Sequence[str]
) -> sql.Composable:
    """Condition that an enum of this type has one of these labels.

    They stand in the statement: of a parameter that is cast to the type the planner cannot say how
    many rows have it, and reads the table rather than its index.
    """
    listed = sql.SQL(", ").join(map(sql.Literal, labels))
    return sql.SQL("{} = ANY(ARRAY[{}]::{}[])").format(column, listed, identifier(schema, name))


def table_of(source: PostgresSource, ledger: Ledger) -> LedgerTable:
    """Look the table up, and hold the mapping against it. Raises SourceError SCHEMA.

    A table's name is taken whole first (`odd.name`), then as `schema.table`, split at the first
    dot.
    """
    schema, _, name = ledger.table.partition(".")
    columns = source.rows("columns", _ColumnRow, whole=ledger.table, schema=schema, name=name)
    if not columns:
        guess = source.nearest(name or ledger.table, "table")
        raise missing(f'table "{ledger.table}" does not exist', guess)
    known = [(column.column, column.column) for column in columns]
    names = ledger.columns
    for key, wanted in (
        ("id", names.id),
        ("status", names.status),
        ("amount", names.amount),
        ("created_at", names.created_at),
        ("processor_ref", names.processor_ref),
        ("currency", names.currency),
        ("failure_code", names.failure_code),
    ):
        if wanted and (wanted, wanted) not in known:
            what = f'table "{ledger.table}" has no column "{wanted}" (columns.{key})'
            # A preset may have named it: that the file does not mention it takes nothing away.
            or_else = f"; has the table none, write {key}: null" if key in _OPTIONAL else ""
            raise missing(what, nearest(wanted, known), or_else=or_else)
    table = LedgerTable(ledger, columns)
    types = {column.column: column.type for column in columns}
    _check(ledger, "created_at", types[names.created_at], _TIMES)
    _check(ledger, "amount", types[names.amount], _NUMBERS)
    return table


def _check(ledger: Ledger, key: str, found: str, good: frozenset[str]) -> None:
    if found not in good:
        raise SourceError(
            "postgres",
            Failure.SCHEMA,
            f'table "{ledger.table}": {key} is mapped to a column of type {found}',
            hint=f"map {key} to a column of one of these types: {', '.join(sorted(good))}",
        )
