"""Real servers, once a session, and a Stripe simulator."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from payops.config.section import Duration
from payops.config.sources import PostgresSettings, RedisSettings, StripeSettings
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer
from payops.lab.stripe.config import default_key
from payops.lab.stripe.simulator import Simulator
from payops.sources.http import HttpSource
from payops.sources.postgres import PostgresSource
from payops.sources.redis import RedisSource
from payops.sources.stripe import StripeSource


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("stripe")).running() as running:
        yield running


@pytest.fixture
def control(simulator: Simulator) -> Iterator[Callable[..., Any]]:
    """`control("PUT", "/faults", {...})`; healed afterwards."""

    def ask(method: str, path: str, given: Any = None) -> Any:
        body = json.dumps(given).encode() if given is not None else b""
        request = urllib.request.Request(simulator.control_url + path, body or None, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    yield ask
    ask("POST", "/reset")


@pytest.fixture
def sql(postgres_server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner's, each test in a schema of its own that it finds first."""
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS case_ CASCADE; CREATE SCHEMA case_")
        connection.execute("ALTER ROLE CURRENT_USER SET search_path = case_, public")
        connection.execute("SET search_path = case_, public")
        yield connection
        connection.execute("DROP SCHEMA case_ CASCADE")


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[PostgresSource]:
    source = postgres_of(postgres_server.dsn)
    yield source
    source.close()


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[RedisSource]:
    source = redis_of(redis_server.url)
    yield source
    source.close()


@pytest.fixture
def stripe(simulator: Simulator) -> Iterator[StripeSource]:
    source = stripe_of(simulator.url)
    yield source
    source.close()


@pytest.fixture
def http() -> Iterator[HttpSource]:
    source = HttpSource(Deadline.after(20))
    yield source
    source.close()


def postgres_of(dsn: str, *, seconds: float = 20, **settings: float) -> PostgresSource:
    durations = {name: Duration(value) for name, value in settings.items()}
    return PostgresSource(PostgresSettings(dsn=Secret(dsn), **durations), Deadline.after(seconds))


def redis_of(url: str, *, seconds: float = 20, timeout: float = 2, ca: str = "") -> RedisSource:
    settings = RedisSettings(url=Secret(url), timeout=Duration(timeout), ca_file=ca)
    return RedisSource(settings, Deadline.after(seconds))


def stripe_of(
    url: str, *, key: str = "", seconds: float = 20, timeout: float = 5, rate: float = 100
) -> StripeSource:
    settings = StripeSettings(
        secret_key=Secret(key or default_key()),
        api_base=url,
        timeout=Duration(timeout),
        max_requests_per_second=rate,
    )
    return StripeSource(settings, Deadline.after(seconds))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
