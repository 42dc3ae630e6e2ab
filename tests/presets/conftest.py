"""One Postgres, with a database for each system's tables and a told history in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import psycopg
import pytest
from psycopg import sql

from payops.config.load import settings_from
from payops.config.section import Duration
from payops.config.settings import Settings
from payops.config.sources import PostgresSettings
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.lab.history import History, HistoryPlan, tell
from payops.lab.history.load import run_schema, write_tables
from payops.lab.servers.postgres import PostgresServer
from payops.lab.systems import System, system, system_names
from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class Filled:
    """A system's database with a history of 400 payments in it, and its preset."""

    system: System
    settings: Settings
    history: History
    dsn: str

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, autocommit=True)

    def source(self) -> PostgresSource:
        """As payops reads it."""
        given = PostgresSettings(dsn=Secret(self.dsn), statement_timeout=Duration(10))
        return PostgresSource(given, Deadline.after(30))


def told(made: System, seed: int = 3, payments: int = 400) -> History:
    """A history in the style of the system, that ends now."""
    plan = HistoryPlan(payments, timedelta(days=3), datetime.now(UTC), seed, livemode=False)
    return tell(made.plan(plan))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    made = PostgresServer(tmp_path_factory.mktemp("presets-postgres"))
    made.start()
    yield made
    made.stop()
    made.remove()


@pytest.fixture(scope="session")
def new_database(server: PostgresServer) -> Callable[[str], str]:
    """Makes an empty database; its DSN."""

    def make(name: str) -> str:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{server.dsn.rpartition('/')[0]}/{name}"

    return make


@pytest.fixture(scope="session")
def fill(new_database: Callable[[str], str]) -> Callable[[str], Filled]:
    """Fills the database of a system, once a session."""

    @cache
    def make(name: str) -> Filled:
        made = system(name)
        dsn = new_database(f"filled-{name}")
        run_schema(dsn, made.statements())
        history = told(made)
        write_tables(made.tables(history), dsn)
        return Filled(made, settings_from({"preset": made.preset}), history, dsn)

    return make


@pytest.fixture(params=system_names())
def filled(request: pytest.FixtureRequest, fill: Callable[[str], Filled]) -> Filled:
    """Each system in turn."""
    return fill(request.param)
