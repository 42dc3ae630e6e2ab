"""A real PostgreSQL for the checks of it, and roles that may see more or less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from payops.checks.contract import Context
from payops.lab.servers.postgres import PostgresServer
from payops.sources.postgres import PostgresSource
from sources.conftest import postgres_of
from tools import LEDGER, fake_context, settings

PASSWORD = "test"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    started = PostgresServer(tmp_path_factory.mktemp("postgres"))
    started.start()
    with psycopg.connect(started.dsn, autocommit=True) as connection:
        connection.execute(
            f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE app LOGIN PASSWORD "
            f"'{PASSWORD}' IN ROLE pg_read_all_data, pg_write_all_data"
        )
    yield started
    started.remove()


@pytest.fixture
def sql(server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """The owner, with an empty `payments` that every test finds anew."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(
            "DROP TABLE IF EXISTS payments; CREATE TABLE payments (id serial PRIMARY KEY, "
            "status text, amount int, created_at timestamptz DEFAULT now())"
        )
        yield connection
        connection.execute("DROP TABLE payments")


Ask = Callable[..., Context]


@pytest.fixture
def ctx(server: PostgresServer) -> Iterator[Ask]:
    """`ctx()` is a context over the real server, of a new run; `ctx("plain")` as another role."""
    opened: list[PostgresSource] = []

    def make(role: str = "", **sections: Any) -> Context:
        source = postgres_of(as_role(server, role) if role else server.read_only_dsn)
        opened.append(source)
        configured = settings(**({"ledgers": {"payments": LEDGER}} | sections))
        return fake_context(configured, postgres=source)

    yield make
    for source in opened:
        source.close()


def as_role(server: PostgresServer, role: str) -> str:
    """The server's DSN as `plain` or `app`."""
    before, _, after = server.dsn.partition("@")
    del before
    return f"postgresql://{role}:{PASSWORD}@{after}"
