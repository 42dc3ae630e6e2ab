"""What the database has: tables with their columns, the words of a column, whether a query fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from payops.sources.identifier import identifier

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class CatalogColumn:
    """One column. `labels` of an enum in its order, `longest` the n of varchar(n), `readable`
    whether our role may select it."""

    asked: str
    schema: str
    table: str
    column: str
    type: str
    labels: list[str] | None
    longest: int | None
    readable: bool


@dataclass(frozen=True)
class Word:
    """A value of a column, as text, and how many rows have it."""

    word: str | None
    count: int


@dataclass(frozen=True)
class _One:
    one: int


Tables = Mapping[str, Mapping[str, CatalogColumn]]


def tables_of(source: PostgresSource, names: Iterable[str]) -> Tables:
    """Tables by the name that the configuration has for them, each by column; one that is not
    there is left out. Raises SourceError."""
    wanted = sorted(set(names))
    found: dict[str, dict[str, CatalogColumn]] = {}
    for each in source.rows("catalog", CatalogColumn, names=wanted) if wanted else ():
        found.setdefault(each.asked, {})[each.column] = each
    return found


def words_of(source: PostgresSource, column: CatalogColumn, most: int) -> list[Word]:
    """The words that a column has, at most `most`. Looks at every row. Raises SourceError."""
    places = {
        "column": identifier(column.column),
        "table": identifier(column.schema, column.table),
    }
    return source.rows("words", Word, identifiers=places, most=most)


def refuse_misfit(source: PostgresSource, query: str, params: Mapping[str, object]) -> None:
    """Have the server plan a query of the configuration's, and run none of it: raises SourceError
    for a table, a column or a function that is not there."""
    inner = query.strip().rstrip(";")
    # The operator's own words; a parameter is always there, so that it is one statement.
    text = sql.SQL("SELECT 1 AS one FROM (\n{}\n) AS payops_row LIMIT {}::bigint").format(
        sql.SQL(inner), sql.Placeholder("payops_most")
    )
    source.ask(text, _One, **{**params, "payops_most": 0})
