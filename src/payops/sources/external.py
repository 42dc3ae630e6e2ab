"""Connections to outside processors, their transactions and collections, read side by side.

The statements find candidates, in exact numeric; what is made of one is for
`payops.reconcile` to say. Only columns that are mapped are named, so that no credential is
ever selected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from psycopg import sql

from payops.domain.external import (
    Collection,
    CollectionCounts,
    ConnectionSum,
    Sale,
    SaleCounts,
)
from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL
from payops.domain.payment import PAID, PaymentStatus
from payops.errors import Failure, SourceError
from payops.sources.identifier import identifier
from payops.sources.ledger_table import is_label
from payops.sources.postgres import query
from payops.sources.postgres_errors import missing, nearest

if TYPE_CHECKING:
    from payops.config.external import (
        ExternalCollections,
        ExternalConnections,
        ExternalSettings,
        ExternalTransactions,
    )
    from payops.config.ledger import Ledger
    from payops.domain.window import Window
    from payops.sources.postgres import Name, PostgresSource

T = TypeVar("T")

_WHOLE = frozenset({"int2", "int4", "int8"})
_FRACTIONS = frozenset({"numeric", "float4", "float8"})
_TEXTS = frozenset({"text", "varchar", "bpchar"})
_NUMBERS = _WHOLE | _FRACTIONS | _TEXTS | {"money"}
_TIMES = frozenset({"timestamptz", "timestamp", "date"})
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"
_NULL = sql.SQL("NULL")
_NO_NUMBER = sql.SQL("NULL::numeric")
_NO_TEXT = sql.SQL("NULL::text")
_LOST = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELED})


@dataclass(frozen=True)
class _ColumnRow:
    schema: str
    table: str
    column: str
    type: str
    type_schema: str
    type_name: str
    labels: list[str] | None


class Catalog:
    """One mapped table: names into expressions by the types that the catalog gives."""

    def __init__(self, source: PostgresSource, table: str) -> None:
        schema, _, name = table.partition(".")
        rows = source.rows("columns", _ColumnRow, whole=table, schema=schema, name=name)
        if not rows:
            guess = source.nearest(name or table, "table")
            raise missing(f'table "{table}" does not exist', guess)
        self._table = table
        self._types = {row.column: row.type for row in rows}
        self._enums = {row.column: row for row in rows if row.labels is not None}
        self.name = identifier(rows[0].schema, rows[0].table)

    def column(self, name: str, word: str) -> sql.Composable:
        """The bare column; NULL where the mapping leaves it out. Raises SourceError SCHEMA."""
        if not name:
            return _NULL
        if name not in self._types:
            near = nearest(name, [(each, each) for each in self._types])
            raise missing(f'table "{self._table}" has no column "{name}" ({word})', near)
        return identifier(name)

    def type(self, name: str) -> str:
        """The type of a column; empty when there is none such."""
        return self._types.get(name, "")

    def number(self, name: str, word: str, *, at: sql.Composable | None = None) -> sql.Composable:
        """An exact numeric, a float by its shortest text; NULL for what is no finite number. `at`
        is where the column's value stands under another name."""
        if not name:
            return _NO_NUMBER
        column, kind = self._of(name, word, _NUMBERS), self.type(name)
        column = column if at is None else at
        if kind in _WHOLE or kind == "money":
            return sql.SQL("{}::numeric").format(column)
        if kind in _TEXTS:
            return sql.SQL("CASE WHEN {0}::text ~ {1} THEN {0}::numeric END").format(
                column, sql.Literal(_NUMBER)
            )
        return sql.SQL(
            "CASE WHEN {0}::text NOT IN ('NaN', 'Infinity', '-Infinity') THEN {0}::text::numeric"
            " END"
        ).format(column)

    def text(self, name: str, word: str) -> sql.Composable:
        """The number as its own text, whatever it says."""
        if not name:
            return _NO_TEXT
        column = self._of(name, word, _NUMBERS)
        if self.type(name) == "money":  # its text is written as the server's country does
            return sql.SQL("{}::numeric::text").format(column)
        return sql.SQL("{}::text").format(column)

    def flag(self, name: str, word: str) -> sql.Composable:
        """A boolean; another type's text is true where it says so."""
        if not name:
            return sql.SQL("NULL::boolean")
        column = self.column(name, word)
        if self.type(name) == "bool":
            return column
        return sql.SQL("lower({}::text) IN ('true', 't', 'yes', 'y', '1')").format(column)

    def is_one_of(
        self, name: str, word: str, values: Sequence[str]
    ) -> tuple[sql.Composable, list[str]]:
        """Condition that a column has one of these words in any case, and its `%(statuses)s`. An
        enum is compared as itself, so that an index on it serves."""
        column, wanted = self.column(name, word), {value.lower() for value in values}
        enum = self._enums.get(name)
        if enum is None:
            condition = sql.SQL("lower({}::text) = ANY(%(statuses)s::text[])").format(column)
            return condition, sorted(wanted)
        labels = [label for label in enum.labels or () if label.lower() in wanted]
        return is_label(column, enum.type_schema, enum.type_name, labels), labels

    def moment(self, name: str, word: str) -> sql.Composable:
        """A timestamptz; one without a zone is read in %(zone)s."""
        if not name:
            return sql.SQL("NULL::timestamptz")
        column = self._of(name, word, _TIMES)
        if self.type(name) == "timestamptz":
            return column
        return sql.SQL("({}::timestamp AT TIME ZONE %(zone)s::text)").format(column)

    def _of(self, name: str, word: str, good: frozenset[str]) -> sql.Composable:
        column, kind = self.column(name, word), self.type(name)
        if kind not in good:
            raise SourceError(
                "postgres",
                Failure.SCHEMA,
                f'table "{self._table}": {word} is mapped to a column of type {kind}',
                hint=f"map {word} to a column of one of these: {', '.join(sorted(good))}",
            )
        return column


class ExternalReader:
    """Reads what `external:` maps, each answer bounded by `most` rows.

    The mapping is held against the catalog at each question. Every method raises SourceError.
    """

    def __init__(
        self,
        source: PostgresSource,
        ledger: Ledger,
        settings: ExternalSettings,
        transactions: ExternalTransactions,
        window: Window | None,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._settings = settings
        self._transactions = transactions
        self._window = window

    def sums(self, connections: ExternalConnections, most: int) -> list[ConnectionSum]:
        """Every connection with its transactions of all times, whatever the window."""
        catalog, names = Catalog(self._source, connections.table), connections.columns
        return self._ask(
            "external_sums",
            ConnectionSum,
            {
                "sales": self._sales(inside=False),
                "scale": SCALE,
                "connections": catalog.name,
                "id": catalog.column(names.id, "id"),
                "owner": catalog.column(names.owner, "owner"),
                "processor": catalog.column(names.processor, "processor"),
                "state": catalog.column(names.status, "status"),
                "connection_currency": catalog.column(names.currency, "currency"),
                "total_transactions": catalog.text(names.total_transactions, "total_transactions"),
                "total_volume": catalog.text(names.total_volume, "total_volume"),
            },
            most=most,
        )

    def commissions(self, most: int) -> list[Sale]:
        """Paid transactions of the window whose commission may be wrong."""
        return self._ask(
            "external_commissions",
            Sale,
            {"sales": self._sales(inside=True), "is_wrong": query("external_wrong", {})},
            most=most,
        )

    def commission_counts(self) -> SaleCounts:
        """How many paid transactions of the window there are."""
        places: dict[str, Name] = {
            "sales": self._sales(inside=True),
            "is_wrong": query("external_wrong", {}),
        }
        return self._ask("external_commission_counts", SaleCounts, places)[0]

    def collections(self, collections: ExternalCollections, most: int) -> list[Collection]:
        """Collections of the window that may be wrong."""
        catalog = Catalog(self._source, collections.table)
        sales = Catalog(self._source, self._ledger.table)
        kinds = {
            catalog.type(collections.columns.transaction),
            sales.type(self._ledger.columns.id),
        }
        alike = len(kinds) == 1 or kinds <= _WHOLE
        same = "collection.of = sale.key" if alike else "collection.of::text = sale.key::text"
        return self._ask(
            "external_collections",
            Collection,
            {
                "collections": self._collected(catalog, collections),
                "sales": self._sales(inside=False),
                "same_sale": sql.SQL(same),
                "connections": self._keys(),
                "has_connections": sql.SQL("true" if self._settings.connections else "false"),
            },
            most=most,
            **_words_of(collections),
        )

    def collection_counts(self, collections: ExternalCollections) -> CollectionCounts:
        """How many collections of the window there are."""
        catalog = Catalog(self._source, collections.table)
        places: dict[str, Name] = {"collections": self._collected(catalog, collections)}
        words = _words_of(collections)
        return self._ask("external_collection_counts", CollectionCounts, places, **words)[0]

    def _sales(self, *, inside: bool) -> sql.Composed:
        ledger, names, more = self._ledger, self._ledger.columns, self._transactions.columns
        catalog, table = Catalog(self._source, ledger.table), self._source.table(ledger)
        status = sql.SQL("{}::text").format(catalog.column(names.status, "status"))
        if not ledger.match_case:
            status = sql.SQL("lower({})").format(status)
        edges = []
        if inside and self._window is not None:
            edges = [table.created(">=", "since"), table.created("<", "until")]
        places: dict[str, Name] = {
            "table": catalog.name,
            "id": catalog.column(names.id, "id"),
            "connection": catalog.column(more.connection, "connection"),
            "reference": catalog.column(names.processor_ref, "processor_ref"),
            "status": catalog.column(names.status, "status"),
            "is_paid": among(status, "paid"),
            "is_refunded": among(status, "refunded"),
            "is_lost": among(status, "lost"),
            "code": code_of(catalog.column(names.currency, "currency")),
            "collected": catalog.flag(more.commission_collected, "commission_collected"),
            "matches": sql.SQL(" AND ").join(edges) if edges else sql.SQL("true"),
            # Exact: to divide by 100 would choose a scale of its own.
            "per": sql.SQL("0.01" if self._transactions.rate_unit == "percent" else "1"),
        }
        places["digits"] = self._digits(code_of(catalog.column(names.currency, "currency")))
        for place, name in (
            ("amount", names.amount),
            ("fee", names.fee),
            ("net", more.net),
            ("refunded", names.refunded_amount),
            ("rate", more.commission_rate),
            ("commission", more.commission_amount),
        ):
            places[place] = catalog.number(name, place)
            places[f"{place}_text"] = catalog.text(name, place)
        return query("external_rows", places)

    def _digits(self, code: sql.Composable) -> sql.Composable:
        if self._ledger.amount_unit == "minor":
            return sql.SQL("0")
        return sql.SQL(
            "CASE WHEN lower({0}) = ANY(%(zero_decimal)s::text[]) THEN 0"
            " WHEN lower({0}) = ANY(%(three_decimal)s::text[]) THEN 3 ELSE 2 END"
        ).format(code)

    def _collected(self, catalog: Catalog, collections: ExternalCollections) -> sql.Composed:
        names = collections.columns
        inside: sql.Composable = sql.SQL("true")
        if self._window is not None and names.created_at:
            inside = sql.SQL(
                "({0} >= %(since)s::timestamptz AND {0} < %(until)s::timestamptz)"
            ).format(catalog.moment(names.created_at, "created_at"))
        of_type: sql.Composable = sql.SQL("true")
        if names.type:
            kind = sql.SQL("lower({}::text)").format(catalog.column(names.type, "type"))
            of_type = among(kind, "commission_types")
        return query(
            "external_collection_rows",
            {
                "table": catalog.name,
                "id": catalog.column(names.id, "id"),
                "transaction": catalog.column(names.transaction, "transaction"),
                "connection": catalog.column(names.connection, "connection"),
                "owner": catalog.column(names.owner, "owner"),
                "type": catalog.column(names.type, "type"),
                "status": catalog.column(names.status, "status"),
                "code": code_of(catalog.column(names.currency, "currency")),
                "has_amount": sql.SQL("true" if names.amount else "false"),
                "amount": catalog.number(names.amount, "amount"),
                "amount_text": catalog.text(names.amount, "amount"),
                "is_commission": of_type,
                "inside": inside,
            },
        )

    def _keys(self) -> sql.Composed:
        connections = self._settings.connections
        if connections is None:
            return sql.SQL("SELECT NULL::text AS key, NULL::text AS owner WHERE false").format()
        catalog = Catalog(self._source, connections.table)
        return query(
            "external_connection_keys",
            {
                "connections": catalog.name,
                "id": catalog.column(connections.columns.id, "id"),
                "owner": catalog.column(connections.columns.owner, "owner"),
            },
        )

    def _ask(self, name: str, into: type[T], places: Mapping[str, Name], **more: Any) -> list[T]:
        words = self._ledger.statuses
        window = self._window

        def values(wanted: frozenset[PaymentStatus]) -> list[str]:
            found = [raw for word, raws in words.items() for raw in raws if _is(word, wanted)]
            return found if self._ledger.match_case else [raw.lower() for raw in found]

        return self._source.rows(
            name,
            into,
            identifiers=places,
            zone=self._ledger.timezone,
            code=self._ledger.currency,
            zero_decimal=sorted(ZERO_DECIMAL),
            three_decimal=sorted(THREE_DECIMAL),
            paid=values(PAID),
            refunded=values(frozenset({PaymentStatus.REFUNDED})),
            lost=values(_LOST),
            most_rate=100 if self._transactions.rate_unit == "percent" else 1,
            since=window.since if window else None,
            until=window.until if window else None,
            **more,
        )


SCALE = sql.SQL("CASE digits WHEN 0 THEN 1 WHEN 3 THEN 1000 ELSE 100 END")


def _is(word: str, wanted: frozenset[PaymentStatus]) -> bool:
    return PaymentStatus(word) in wanted


def among(text: sql.Composable, parameter: str) -> sql.Composable:
    place = sql.Placeholder(parameter)
    return sql.SQL("coalesce({} = ANY({}::text[]), false)").format(text, place)


def code_of(column: sql.Composable) -> sql.Composable:
    return sql.SQL("coalesce(nullif(trim({}::text), ''), %(code)s::text)").format(column)


def _words_of(collections: ExternalCollections) -> dict[str, list[str]]:
    return {
        "commission_types": [word.lower() for word in collections.commission_types],
        "moved": [word.lower() for word in collections.collected],
        "waived": [word.lower() for word in collections.waived],
    }
