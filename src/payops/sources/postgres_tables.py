"""The mapped tables as the server keeps them: dead rows, indexes, sizes; and its sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources.postgres import PostgresSource

T = TypeVar("T")


@dataclass(frozen=True)
class TableState:
    """A mapped table. `rows` is the planner's estimate, `trigger` how many `dead` rows call
    autovacuum, `vacuumed_s` seconds since the last vacuum (None: none is known). `kind` is the
    catalog's letter: r a table, p a partitioned one, v a view."""

    name: str
    kind: str
    rows: int
    dead: int
    vacuumed_s: float | None
    autovacuum: bool
    trigger: float
    xids: int


@dataclass(frozen=True)
class Index:
    """An index of a mapped table; `first` is the text of its first key, `columns` are all keys in
    order, '' where one is an expression."""

    table: str
    name: str
    valid: bool
    partial: bool
    unique: bool
    first: str
    columns: list[str]
    building: bool


@dataclass(frozen=True)
class Sequence:
    """A sequence; `highest` is its own end or that of the integer column it fills. `last` is None
    when it was never used, or is `hidden`."""

    schema: str
    name: str
    table_name: str
    column_name: str
    highest: int
    last: int | None
    hidden: bool
    cycles: bool


@dataclass(frozen=True)
class Size:
    """Bytes of the database, and of each mapped table with all that belongs to it."""

    bytes: int
    tables: Mapping[str, int]


@dataclass(frozen=True)
class Seen(Generic[T]):
    """Rows and the server's clock."""

    rows: tuple[T, ...]
    as_of: datetime


def mapped_tables(settings: Settings) -> tuple[str, ...]:
    """The names of all ledgers and event logs, each once."""
    found = [ledger.table for ledger in settings.ledgers.values()]
    found += [log.table for log in settings.event_logs.values()]
    return tuple(dict.fromkeys(found))


def tables(source: PostgresSource, names: tuple[str, ...]) -> Seen[TableState]:
    """Those of the tables that exist. Raises SourceError."""
    told = source.once("pg_tables", TableState, names=names)
    return Seen(tuple(told.rows), told.now)


def indexes(source: PostgresSource, names: tuple[str, ...]) -> Seen[Index]:
    """Every index of the tables. Raises SourceError."""
    told = source.once("pg_table_indexes", Index, names=names)
    return Seen(tuple(told.rows), told.now)


def sequences(source: PostgresSource) -> Seen[Sequence]:
    """Sequences that go up, the fullest first. Raises SourceError."""
    told = source.once("pg_sequences", Sequence)
    return Seen(tuple(told.rows), told.now)


def size(source: PostgresSource, names: tuple[str, ...]) -> Seen[Size]:
    """One row; looks at every file of the database. Raises SourceError."""
    told = source.once("pg_size", Size, names=names or ("",))
    return Seen(tuple(told.rows), told.now)
