"""A real Postgres, once a session; each test has a database of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from changes import Shop
from payops.lab.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.remove()


@pytest.fixture
def shop(server: PostgresServer, tmp_path: Path) -> Iterator[Shop]:
    name = f"shop_{secrets.token_hex(4)}"
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        dsn = server.dsn.rpartition("/")[0] + f"/{name}"
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield Shop(dsn, connection, tmp_path)
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
