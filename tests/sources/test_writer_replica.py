"""A plan made by reading a replica is for the primary, and nothing is written to a replica."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from changes import Shop, words
from payops.engine.target import check_database
from payops.errors import RefusedError, SourceError
from payops.lab.servers.postgres import PostgresServer
from payops.sources.writer import PostgresWriter
from sources.test_replica import replica

__all__ = ["replica"]


@pytest.fixture
def shop(postgres_server: PostgresServer, sql: psycopg.Connection[Any], tmp_path: Path) -> Shop:
    return Shop(postgres_server.dsn, sql, tmp_path)


@pytest.mark.slow
def test_planned_on_a_replica_applied_on_the_primary(shop: Shop, replica: str) -> None:
    changes = shop.succeed(shop.payments(1))
    reading = Shop(replica, shop.sql, shop.folder)
    for _ in range(100):  # until it has started and replayed the table
        try:
            plan = reading.plan(*changes)
            break
        except SourceError:
            time.sleep(0.1)
    settings = shop.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")
    check_database(plan, writer.database())
    writer.close()
    assert words(shop.apply(plan)) == ["done"]
    settings = reading.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")
    with pytest.raises(RefusedError, match="a replica"):
        writer.database()
    writer.close()
