"""Text and JSON columns of a table, sampled; columns that hold secrets are only counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from payops.errors import Failure, SourceError
from payops.sources.identifier import identifier

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource

_TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "json", "jsonb", "xml", "hstore"})
_ARRAYS = frozenset(f"_{name}" for name in _TEXTS)
_LONGEST = 32_768  # characters of one value; a longer one is told
_COUNTED = 1_000_000  # rows among which a column's filled ones are counted
_TRIES = 4  # the last with 64 times the share
_SAMPLED = frozenset("rmp")  # TABLESAMPLE is for tables and materialised views


@dataclass(frozen=True)
class _ColumnRow:
    schema: str
    table: str
    column: str
    type: str
    type_schema: str
    type_name: str
    labels: list[str] | None


@dataclass(frozen=True)
class _TableRow:
    kind: str
    guess: float
    key: list[str]
    newest: str | None


@dataclass(frozen=True)
class _SampleRow:
    key: list[str | None]
    values: list[str | None]


@dataclass(frozen=True)
class Filled:
    """Of `looked` rows, `filled` have something in the column."""

    looked: int
    filled: int


@dataclass(frozen=True)
class TextTable:
    """A table as the catalog knows it. `columns` are all, `texts` those of text or JSON; `rows` is
    the planner's guess, None where it has none."""

    schema: str
    name: str
    columns: tuple[str, ...]
    texts: tuple[str, ...]
    key: tuple[str, ...]
    newest: str
    rows: int | None
    sampled: bool


@dataclass(frozen=True)
class SampledRow:
    """One row: its key as `id=17`, and the text of each column asked for; None is NULL."""

    key: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Sample:
    """Rows, how they were chosen, whether they are all there are, and how many values were longer
    than what was read of them."""

    rows: tuple[SampledRow, ...]
    how: str
    whole: bool
    cut: int


def text_table(source: PostgresSource, name: str) -> TextTable:
    """What the catalog says of a table, named as in the configuration. Raises SourceError."""
    schema, _, bare = name.partition(".")
    columns = source.rows("columns", _ColumnRow, whole=name, schema=schema, name=bare)
    if not columns:
        guess = source.nearest(bare or name, "table")
        raise SourceError(
            "postgres",
            Failure.SCHEMA,
            f'table "{name}" does not exist',
            hint=f"did you mean {guess}?" if guess else "correct the mapping of its table",
        )
    first = columns[0]
    found = source.rows("scan_table", _TableRow, schema=first.schema, name=first.table)[0]
    return TextTable(
        schema=first.schema,
        name=first.table,
        columns=tuple(each.column for each in columns),
        texts=tuple(each.column for each in columns if each.type in _TEXTS | _ARRAYS),
        key=tuple(found.key),
        newest=found.newest or "",
        rows=None if found.guess < 0 else round(found.guess),
        sampled=found.kind in _SAMPLED,
    )


def sample(source: PostgresSource, table: TextTable, columns: tuple[str, ...], most: int) -> Sample:
    """At most `most` rows: all of a small table; of a large one the newest half by an index, and
    the rest from all over it. Raises SourceError."""
    # An empty guess is no guess: it is 0 also of a table that nobody has counted yet.
    if table.rows is not None and table.rows > most and (table.sampled or table.newest):
        half = most // 2 if table.sampled and table.newest else most
        parts: list[tuple[str, list[SampledRow]]] = []
        if table.newest:
            newest = sql.SQL("ORDER BY {} DESC NULLS LAST").format(identifier(table.newest))
            parts.append(("newest", _rows(source, table, columns, half, newest=newest)))
        if table.sampled:
            parts.append(("from all over", _all_over(source, table, columns, half)))
        how = ", ".join(f"{len(rows):,} {word}" for word, rows in parts)
        return _sample([row for _, rows in parts for row in rows], how, whole=False)
    rows = _rows(source, table, columns, most + 1)
    whole = len(rows) <= most
    return _sample(rows[:most], "all" if whole else f"the first {most:,}", whole=whole)


def _all_over(
    source: PostgresSource, table: TextTable, columns: tuple[str, ...], most: int
) -> list[SampledRow]:
    """Rows of blocks chosen at random. A block of a narrow table holds hundreds of rows, so that a
    small share may choose none: then a larger one is tried."""
    assert table.rows  # noqa: S101  a large table
    share = 150.0 * most / table.rows  # half as many again: blocks are not equally full
    found: list[SampledRow] = []
    for _ in range(_TRIES):
        if found:
            break
        part = sql.SQL("TABLESAMPLE SYSTEM ({})").format(sql.Literal(min(share, 100.0)))
        found = _rows(source, table, columns, most, sampled=part)
        share *= 4
    return found


def filled(source: PostgresSource, table: TextTable, column: str) -> Filled:
    """How many of the first million rows have something in a column, which is not read."""
    return source.rows(
        "scan_filled",
        Filled,
        identifiers={"table": (table.schema, table.name), "column": column},
        rows=_COUNTED,
    )[0]


def _rows(
    source: PostgresSource,
    table: TextTable,
    columns: tuple[str, ...],
    most: int,
    *,
    newest: sql.Composable | None = None,
    sampled: sql.Composable | None = None,
) -> list[SampledRow]:
    names = table.key or ("ctid",)
    keys: sql.Composable = sql.SQL(", ").join(
        sql.SQL("{}::text").format(identifier(name)) for name in names
    )
    values = sql.SQL(", ").join(
        sql.SQL("left({}::text, {})").format(identifier(name), sql.Literal(_LONGEST + 1))
        for name in columns
    )
    if not table.key and not table.sampled:  # a view has neither
        names, keys = (), sql.SQL("")
    found = source.rows(
        "scan_rows",
        _SampleRow,
        identifiers={
            "key": sql.SQL("ARRAY[{}]::text[]").format(keys),
            "values": sql.SQL("ARRAY[{}]::text[]").format(values),
            "table": (table.schema, table.name),
            "sampled": sampled or sql.SQL(""),
            "newest": newest or sql.SQL(""),
        },
        rows=most,
    )
    return [
        SampledRow(
            " ".join(f"{name}={value}" for name, value in zip(names, row.key, strict=True)),
            tuple(row.values),
        )
        for row in found
    ]


def _sample(rows: list[SampledRow], how: str, *, whole: bool) -> Sample:
    cut = sum(len(value or "") > _LONGEST for row in rows for value in row.values)
    return Sample(tuple(dict.fromkeys(rows)), how, whole and not cut, cut)
