"""Rows of any mapped table, as texts: only what is mapped leaves the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from payops.config.ledger import Ledger
from payops.domain.window import Window
from payops.errors import Failure, SourceError
from payops.sources.ledger_near import rows_around, rows_newest, rows_since
from payops.sources.mapped_rows import rows_by
from payops.sources.postgres import PostgresSource
from payops.sources.redis import RedisSource
from reconcile.merchant import ledger
from sources.conftest import redis_of

NOON = datetime(2026, 2, 11, 12, tzinfo=UTC)
COLUMNS = {"row": "object_id", "at": "created_at", "changes": "changes"}
Sql = psycopg.Connection[Any]


@pytest.fixture
def audit(sql: Sql) -> Sql:
    sql.execute(
        "CREATE TABLE audit (object_id uuid, created_at timestamp, changes jsonb, secret text, "
        "share double precision, gone timestamptz)"
    )
    return sql


def add(sql: Sql, changes: object, at: str = "2026-02-11 12:00:00.5") -> str:
    key = "00000000-0000-4000-8000-000000000001"
    sql.execute(
        "INSERT INTO audit VALUES (%s, %s, %s, 'sk_live_hidden', 0.2, 'infinity')",
        (key, at, json.dumps(changes)),
    )
    return key


def test_of_a_document_only_the_named_keys_leave(audit: Sql, postgres: PostgresSource) -> None:
    secret = {"client_secret": "pi_1_secret_x"}
    changed = {"status": {"old": "a", "new": "b"}, "metadata": {"old": None, "new": secret}}
    key = add(audit, changed)
    add(audit, {"new": {"status": "a", "metadata": secret}}, "2026-02-11 11:00:00")
    add(audit, ["no", "object"], "2026-02-11 13:00:00")
    found = rows_by(
        postgres, "audit", COLUMNS, "row", [key], order="at",
        documents={"changes": ["status"]},
    )  # fmt: skip
    told = [json.loads(row["changes"]) if row["changes"] else None for row in found]
    assert told == [
        {"new": {"status": "a"}},
        {"status": {"old": "a", "new": "b"}, "metadata": None},
        None,
    ]
    assert "secret" not in str(found)


def test_times_are_utc_and_numbers_short(audit: Sql, postgres: PostgresSource) -> None:
    key = add(audit, {})
    columns = {"row": "object_id", "at": "created_at", "share": "share", "gone": "gone", "no": ""}
    (row,) = rows_by(postgres, "audit", columns, "row", [key], zone="Europe/Berlin")
    assert row["at"] == "2026-02-11T11:00:00.500000Z"
    assert (row["share"], row["gone"], row["no"]) == ("0.2", None, None)


def test_a_column_that_is_not_there_is_told_or_left_out(
    audit: Sql, postgres: PostgresSource
) -> None:
    key = add(audit, {})
    columns = {"row": "object_id", "at": "creatde_at"}
    with pytest.raises(SourceError) as missing:
        rows_by(postgres, "audit", columns, "row", [key])
    assert missing.value.kind is Failure.SCHEMA
    assert "created_at" in str(missing.value) + missing.value.hint
    (row,) = rows_by(postgres, "audit", columns, "row", [key], tolerant=True)
    assert row["at"] is None
    with pytest.raises(SourceError):
        rows_by(postgres, "adit", columns, "row", [key])


@pytest.mark.parametrize("value", ["'; DROP TABLE audit; --", "x\0y", "", "%s", "{}"])
def test_a_hostile_value_finds_nothing(audit: Sql, postgres: PostgresSource, value: str) -> None:
    add(audit, {})
    assert rows_by(postgres, "audit", COLUMNS, "row", [value]) == []


def payments(sql: Sql, unit: str = "minor", **columns: str) -> Ledger:
    sql.execute(
        "CREATE TABLE payments (id int, status text, amount numeric, used numeric, customer text, "
        "created_at timestamptz)"
    )
    names = {"id": "id", "status": "status", "amount": "amount", "created_at": "created_at"}
    return ledger(columns={**names, "customer_id": "customer", **columns}, amount_unit=unit)


def test_rows_around_a_time_with_an_amount(sql: Sql, postgres: PostgresSource) -> None:
    book = payments(sql, deduction="used")
    for id_, amount, used, minutes in (
        (1, 4999, None, 0), (2, 4999, None, 30), (3, 5000, None, 0), (4, 5999, 1000, 5),
    ):  # fmt: skip
        sql.execute(
            "INSERT INTO payments VALUES (%s, 'succeeded', %s, %s, 'cus_1', %s)",
            (id_, amount, used, NOON + timedelta(minutes=minutes)),
        )
    window = Window(NOON - timedelta(minutes=10), NOON + timedelta(minutes=10))
    found = rows_around(postgres, book, window, [Decimal(4999)], 10)
    assert [row.key for row in found] == ["4", "1"]
    assert [row.key for row in rows_newest(postgres, book, "customer_id", "cus_1", 2)] == ["2", "4"]
    assert rows_newest(postgres, book, "session_ref", "cs_1", 2) == []
    since = rows_since(postgres, book, NOON + timedelta(minutes=1), 10)
    assert [row.key for row in since] == ["2", "4"]


def test_when_keys_of_redis_expire(redis: RedisSource, redis_server: Any) -> None:
    import redis as library

    client = library.Redis.from_url(redis_server.url)
    client.set("trace:lives", "1", ex=100)
    client.set("trace:for-ever", "1")
    keys = ["trace:lives", "trace:for-ever", "trace:none"]
    again = redis_of(redis_server.url)
    first, second = redis.expiries(keys), again.expiries(keys)
    again.close()
    client.delete(*keys)
    client.close()
    one, other = first["trace:lives"], second["trace:lives"]
    assert one is not None
    assert other is not None
    assert abs((one - other).total_seconds()) < 0.01
    assert first["trace:for-ever"] is None is first["trace:none"]
    assert redis.expiries([]) == {}
