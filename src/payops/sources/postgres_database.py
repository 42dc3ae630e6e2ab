"""What the server counts for the database, and how old its oldest rows are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class _Row:
    database: str
    role: str
    sees_all: bool
    in_recovery: bool
    commits: int
    rollbacks: int
    deadlocks: int
    counted_s: float | None
    connection_limit: int
    connections_here: int
    oldest_xid_database: str
    xids: int
    oldest_multixact_database: str
    multixacts: int
    freeze_max_age: int
    multixact_freeze_max_age: int
    autovacuum: bool
    oldest_prepared_s: float | None
    statements_schema: str | None
    statements_available: bool


@dataclass(frozen=True)
class DatabaseFacts(_Row):
    """One database of the server.

    `commits`, `rollbacks` and `deadlocks` are counted for `counted_s` seconds; None is for longer
    than can be told. `connection_limit` is the database's own, -1 for none. `xids` and
    `multixacts` are the ages of the oldest ones in the whole server. `sees_all`: the role may look
    into other roles' sessions. `statements_schema` is where pg_stat_statements is installed.
    """

    as_of: datetime


def database(source: PostgresSource) -> DatabaseFacts:
    """Asked once a run. Raises SourceError."""
    told = source.once("pg_database", _Row)
    return DatabaseFacts(**vars(told.rows[0]), as_of=told.now)
