"""What pg_stat_statements counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class Statement:
    """One statement, its constants already `$1`; `hidden`: another role's, without its text."""

    query: str | None
    calls: int
    mean_ms: float
    max_ms: float
    hidden: bool


@dataclass(frozen=True)
class Statements:
    """The slowest by their mean, slowest first."""

    rows: tuple[Statement, ...]
    as_of: datetime


def statements(source: PostgresSource, schema: str, calls: int) -> Statements:
    """Of this database, those that ran at least `calls` times. Raises SourceError."""
    told = source.told("pg_statements", Statement, identifiers={"schema": schema}, calls=calls)
    return Statements(tuple(told.rows), told.now)
