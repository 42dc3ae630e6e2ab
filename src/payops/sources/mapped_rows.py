"""Rows of any mapped table as texts, by the values of one column.

For tables that no reader of their own is worth: audits, configurations, connections. Only columns
that are mapped are named, so that no credential is ever selected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from payops.sources.identifier import identifier
from payops.sources.postgres_errors import missing, nearest

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource

# A value for people: no column of these tables needs more to be told.
_LONGEST = 4_000
_ISO = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


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
class _Values:
    values: list[str | None]


Texts = Mapping[str, str | None]
"""A row by payops' words; a time is ISO 8601 in UTC."""


def rows_by(
    source: PostgresSource,
    table: str,
    columns: Mapping[str, str],
    by: str,
    values: Sequence[str],
    *,
    order: str = "",
    most: int = 100,
    zone: str = "UTC",
    tolerant: bool = False,
    documents: Mapping[str, Sequence[str]] | None = None,
) -> list[Texts]:
    """Rows whose column of the word `by` is one of `values`, at most `most`, by `order`.

    `columns` are payops' word: column; an empty column gives None, with `tolerant` one that the
    table lacks does too. Of a word in `documents`, a JSON object, only those keys' values leave the
    database (of an object under `new` or `old` likewise); of others the keys alone. Raises
    SourceError.
    """
    schema, _, name = table.partition(".")
    found = source.rows("columns", _Column, whole=table, schema=schema, name=name)
    if not found:
        raise missing(f'table "{table}" does not exist', source.nearest(name or table, "table"))
    types = {each.column: each.type for each in found}
    for word, column in columns.items():
        if column and column not in types and not (tolerant and word != by):
            near = nearest(column, [(each, each) for each in types])
            raise missing(f'table "{table}" has no column "{column}" ({word})', near)
    wanted = [value for value in dict.fromkeys(values) if value and "\0" not in value]
    if not wanted:
        return []
    words = [word for word, column in columns.items() if column in types]
    sorting = columns.get(order, "") if order else ""
    rows = source.rows(
        "mapped_rows",
        _Values,
        identifiers={
            "table": identifier(found[0].schema, found[0].table),
            "columns": sql.SQL(", ").join(
                _document(columns[word], types, documents[word])
                if documents and word in documents
                else _text(columns[word], types)
                for word in words
            ),
            "by": sql.SQL("{}::text").format(identifier(columns[by])),
            "order": identifier(sorting) if sorting in types else sql.SQL("1"),
        },
        wanted=wanted,
        most=most,
        zone=zone,
    )
    empty = dict.fromkeys(columns)
    return [{**empty, **dict(zip(words, row.values, strict=True))} for row in rows]


# What a JSON column has under other names stays there: it may hold secrets.
_KEPT = """
CASE WHEN jsonb_typeof({0}::jsonb) = 'object' THEN (
    SELECT jsonb_object_agg(key, CASE
        WHEN key = ANY({1}::text[]) THEN value
        WHEN key IN ('new', 'old') AND jsonb_typeof(value) = 'object' THEN (
            SELECT jsonb_object_agg(k, v) FROM jsonb_each(value) AS inside (k, v)
            WHERE k = ANY({1}::text[])
        )
    END)
    FROM jsonb_each({0}::jsonb)
)::text END
"""


def _document(column: str, types: Mapping[str, str], keys: Sequence[str]) -> sql.Composable:
    if types[column] not in ("json", "jsonb"):
        return sql.SQL("NULL")  # a text may be anything
    return sql.SQL(_KEPT).format(identifier(column), sql.Literal(list(keys)))


def _text(column: str, types: Mapping[str, str]) -> sql.Composable:
    name, kind = identifier(column), types[column]
    if kind == "timestamptz":
        moment = sql.SQL("{} AT TIME ZONE 'UTC'").format(name)
    elif kind == "timestamp":
        moment = sql.SQL("{} AT TIME ZONE %(zone)s::text AT TIME ZONE 'UTC'").format(name)
    elif kind in ("float4", "float8"):  # its shortest form, and no exponent
        return sql.SQL(
            "CASE WHEN {0}::text ~ '^[-+0-9.e]+$' THEN {0}::text::numeric::text END"
        ).format(name)
    else:
        return sql.SQL("left({}::text, {})").format(name, sql.Literal(_LONGEST))
    return sql.SQL("CASE WHEN isfinite({}) THEN to_char({}, {}) END").format(
        name, moment, sql.Literal(_ISO)
    )
