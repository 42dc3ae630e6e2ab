"""One Postgres, one Redis and one simulator for the folder; a shop for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from lab.merchant.front import SECRET, OpenShop
from payops.lab.history.load import create_schema
from payops.lab.merchant.config import MerchantConfig
from payops.lab.merchant.door import Door
from payops.lab.merchant.shop import Control, Shop
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("shop-postgres"))
    server.start()
    create_schema(server.dsn)
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("shop-redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection to the empty tables."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE payments, refunds, webhook_events")
        yield connection


@pytest.fixture
def cache(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A client of the empty Redis, with texts for values."""
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def open_shop(
    postgres: PostgresServer,
    redis_server: RedisServer,
    database: psycopg.Connection[Any],
    cache: redis.Redis,
    tmp_path: Path,
) -> Iterator[Callable[..., OpenShop]]:
    """Opens shops over the real servers; `stripe_url` and others may be given."""
    doors: list[Door] = []

    def opened(**more: Any) -> OpenShop:
        given = {"stripe_url": "http://127.0.0.1:9", "stripe_key": "sk_test_x", **more}
        shop = Shop(
            MerchantConfig(
                postgres_dsn=postgres.dsn,
                redis_url=redis_server.url,
                dir=str(tmp_path),
                webhook_secrets=("whsec_old", SECRET),
                **given,
            )
        )
        public = Door(shop.handle, 0)
        control = Door(Control(shop, public).handle, 0)
        doors.extend((public, control))
        public.open()
        control.open()
        return OpenShop(public.url, control.url)

    yield opened
    for door in doors:
        door.close()


@pytest.fixture
def shop(open_shop: Callable[..., OpenShop]) -> OpenShop:
    """A shop whose Stripe refuses connections."""
    return open_shop()
