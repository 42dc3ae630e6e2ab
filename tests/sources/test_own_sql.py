"""The configuration's own queries against a real Postgres and Redis: one SELECT, no more."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from payops.domain.window import Window
from payops.errors import Failure, SourceError
from payops.sources.own_sql import OwnRows, missing_parts, own_rows, planned
from payops.sources.postgres import PostgresSource
from payops.sources.redis import READS, RedisSource


@pytest.fixture
def table(sql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    sql.execute(
        "CREATE TABLE orders (id int, total numeric(10,2), made timestamptz, note text);"
        "INSERT INTO orders VALUES (1, 19.90, now() - interval '30 minutes', '50% off'),"
        "(2, 5, now() - interval '3 hours', NULL), (3, 7, now() + interval '1 hour', 'later')"
    )
    return sql


def asked(
    postgres: PostgresSource, query: str, *, most: int = 100, timeout: float = 5, skew: float = 0
) -> OwnRows:
    now = datetime.now(UTC) + timedelta(seconds=skew)
    window = Window(now - timedelta(hours=1), now)
    return own_rows(postgres, query, window=window, now=now, most=most, timeout=timeout)


def ids(found: OwnRows) -> list[Any]:
    return [row["id"] for row in found.rows]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT id FROM orders ORDER BY id DESC", [3, 2, 1]),
        ("SELECT id FROM orders ORDER BY id; ", [1, 2, 3]),
        ("SELECT id FROM orders WHERE id = 1 -- and no more", [1]),
        ("SELECT id FROM orders WHERE made >= %(since)s AND made < %(until)s", [1]),
        ("SELECT id FROM orders WHERE made > %(now)s", [3]),
        ("SELECT id FROM orders WHERE made > %(now)s - interval '4 hours' AND id < 3", [1, 2]),
        ("SELECT id FROM orders WHERE note LIKE '%off'", [1]),
        ("SELECT id FROM orders WHERE note LIKE '%%off'", [1]),
        ("SELECT id FROM orders WHERE id % 2 = 1 AND id %% 2 = 1 ORDER BY 1", [1, 3]),
        ("WITH few AS (SELECT id FROM orders) SELECT id FROM few WHERE id = 2", [2]),
        ("VALUES (1)", None),
        ("TABLE orders", [1, 2, 3]),
    ],
)
def test_what_a_query_gives(
    postgres: PostgresSource, query: str, expected: list[int] | None
) -> None:
    found = asked(postgres, query)
    assert not found.more
    assert abs((found.now - datetime.now(UTC)).total_seconds()) < 5
    if expected is not None:
        assert ids(found) == expected
    else:
        assert found.rows == ({"column1": 1},)


@pytest.mark.usefixtures("table")
def test_the_window_is_by_the_servers_clock(postgres: PostgresSource) -> None:
    query = "SELECT id FROM orders WHERE made >= %(since)s AND made < %(until)s"
    assert ids(asked(postgres, query, skew=86_400)) == [1]


@pytest.mark.usefixtures("table")
def test_values_are_exact_and_of_plain_types(postgres: PostgresSource) -> None:
    (row,) = asked(
        postgres,
        "SELECT total, 0.1::float8 AS f, (2::numeric ^ 60)::bigint AS big, true AS yes, "
        "NULL AS no, "
        "'{\"a\": [1]}'::jsonb AS j, timestamp '2026-02-11 09:30' AS t, 'NaN'::float8 AS n, "
        "'\\x00ff'::bytea AS b, repeat('9', 5000)::numeric AS digits FROM orders WHERE id = 1",
    ).rows
    assert row["total"] == Decimal("19.90")
    assert isinstance(row["total"], Decimal)
    assert row["f"] == Decimal("0.1")
    assert row["big"] == 2**60
    assert (row["yes"], row["no"]) == (True, None)
    assert row["j"] == '{"a": [1]}'
    assert row["t"] == "2026-02-11T09:30:00"
    assert row["n"] == "NaN"
    assert row["b"] == "\\x00ff"
    assert row["digits"] == "9" * 5000  # Python reads no such number


@pytest.mark.usefixtures("table")
def test_no_more_rows_come_than_are_asked_for(postgres: PostgresSource) -> None:
    found = asked(postgres, "SELECT n AS id FROM generate_series(1, 1000000) AS s (n)", most=3)
    assert (ids(found), found.more) == ([1, 2, 3], True)
    assert not asked(postgres, "SELECT id FROM orders", most=3).more


def test_a_row_that_is_too_long_is_no_row_to_be_shown(postgres: PostgresSource) -> None:
    assert asked(postgres, "SELECT repeat('x', 30000) AS long").rows == ({},)


@pytest.mark.parametrize(
    ("query", "kind", "words"),
    [
        ("SELECT id FROM oders", Failure.SCHEMA, "did you mean orders? correct the query"),
        ("SELECT totl FROM orders", Failure.SCHEMA, "did you mean orders.total?"),
        ("SELECT 1; SELECT 2", Failure.REJECTED, "it is one SELECT"),
        ("SELECT 1) AS payops_row; DELETE FROM orders; --", Failure.REJECTED, "it is one SELECT"),
        (
            "SELECT 1) AS payops_row; DELETE FROM orders; SELECT * FROM (SELECT 1",
            Failure.REJECTED,
            "it is one SELECT",
        ),
        ("DELETE FROM orders", Failure.REJECTED, "it is one SELECT"),
        (
            "WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone",
            Failure.REJECTED,
            "it is one SELECT",
        ),
        ("SELECT id FROM orders FOR UPDATE", Failure.REJECTED, "read-only"),
        ("SELECT 1 INTO copied", Failure.REJECTED, "it is one SELECT"),
        ("SELECT nextval('numbers')", Failure.REJECTED, "read-only"),
        ("SELECT set_config('transaction_read_only', 'off', true)", Failure.REJECTED, "read-only"),
        ("SELECT 1 / 0", Failure.REJECTED, "correct the query"),
        ("SELECT", None, ""),
        ("", Failure.REJECTED, "correct the query"),
    ],
)
def test_what_is_no_select_changes_nothing(
    table: psycopg.Connection[Any],
    postgres: PostgresSource,
    query: str,
    kind: Failure | None,
    words: str,
) -> None:
    table.execute("CREATE SEQUENCE numbers")
    if kind is None:
        assert asked(postgres, query).rows == ({},)
        return
    with pytest.raises(SourceError) as raised:
        asked(postgres, query)
    assert raised.value.kind is kind
    assert words in raised.value.hint
    assert table.execute("SELECT count(*) FROM orders").fetchone() == (3,)
    assert table.execute("SELECT to_regclass('copied')").fetchone() == (None,)
    assert ids(asked(postgres, "SELECT id FROM orders WHERE id = 1")) == [1], "and it goes on"


def test_its_own_timeout_ends_it_on_the_server(postgres: PostgresSource) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError) as raised:
        asked(postgres, "SELECT pg_sleep(20)", timeout=0.3)
    assert time.monotonic() - began < 2
    assert raised.value.kind is Failure.STATEMENT_TIMEOUT
    assert "its timeout of 0.3 s" in raised.value.hint
    # and it may be longer than postgres.statement_timeout, which is 2 s
    assert asked(postgres, "SELECT pg_sleep(2.2)", timeout=5).rows


@pytest.mark.usefixtures("table")
def test_planning_finds_what_is_wrong_and_runs_nothing(postgres: PostgresSource) -> None:
    began = time.monotonic()
    planned(postgres, "SELECT pg_sleep(20) FROM orders WHERE made > %(since)s")
    assert time.monotonic() - began < 2
    with pytest.raises(SourceError):
        planned(postgres, "SELECT totl FROM orders")


def test_what_is_not_there(table: psycopg.Connection[Any], postgres: PostgresSource) -> None:
    table.execute('CREATE TABLE "Odd.name" ("Key.a" int); CREATE TABLE "Case" (id int)')
    there = ("orders", "orders.id", "case_.orders", "case_.orders.total", "Odd.name", "Case.id")
    gone = ("order", "orders.idd", "case", "Orders", "public.orders", "case_.orders.x", "a.b.c.d")
    assert missing_parts(postgres, there) == ()
    assert missing_parts(postgres, (*there, *gone)) == gone
    assert missing_parts(postgres, ()) == ()


def test_redis_answers_what_is_only_read(redis: RedisSource, redis_server: Any) -> None:
    import redis as library

    with library.Redis.from_url(redis_server.url) as client:
        client.flushdb()
        client.rpush("list", 1, 2, 3)
        client.set("text", "12", ex=100)
        client.sadd("set", "a")
        client.zadd("zset", {"a": 1})
        client.hset("hash", "a", "1")
        asked_for = {
            ("LLEN", "list"): 3,
            ("LLEN", "none"): 0,
            ("GET", "text"): b"12",
            ("GET", "none"): None,
            ("STRLEN", "text"): 2,
            ("SCARD", "set"): 1,
            ("ZCARD", "zset"): 1,
            ("HLEN", "hash"): 1,
            ("EXISTS", "set"): 1,
            ("TTL", "none"): -2,
            ("TTL", "list"): -1,
            ("DBSIZE",): 5,
        }
        for command, expected in asked_for.items():
            assert redis.answer(*command) == expected, command
        assert 0 < int(redis.answer("TTL", "text") or 0) <= 100
        assert {command[0] for command in asked_for} == READS
        with pytest.raises(SourceError) as raised:
            redis.answer("LLEN", "text")
        assert "WRONGTYPE" in raised.value.message
        for command in ("DEL", "SET", "EVAL", "KEYS", "get"):
            with pytest.raises(ValueError, match="only read"):
                redis.answer(command, "text")
        assert client.dbsize() == 5
        client.flushdb()
