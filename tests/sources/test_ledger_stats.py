"""Numbers over time of a ledger in a real Postgres: exact, by currency, at the edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from payops.config.ledger import Ledger
from payops.config.load import settings_from
from payops.domain.money import Money
from payops.domain.payment import PaymentStatus
from payops.domain.window import Window
from payops.errors import NotConfiguredError
from payops.sources.ledger import Outcome
from payops.sources.ledger_stats import NO_LATENCY, StatsReader
from payops.sources.postgres import PostgresSource

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)  # a night without an hour, in most of Europe
DAY = Window(BEGIN, BEGIN + 24 * HOUR)


def ledger(**more: Any) -> Ledger:
    columns = {
        "id": "id",
        "status": "status",
        "amount": "amount",
        "created_at": "created_at",
        "completed_at": "completed_at",
        "currency": "currency",
        "failure_code": "code",
        "customer_id": "customer",
        **more.pop("columns", {}),
    }
    given = {
        "table": "sales",
        "columns": columns,
        "statuses": {"succeeded": ["paid"], "failed": ["failed"], "pending": ["new"]},
        **more,
    }
    found = settings_from({"ledgers": {"payments": given}}).payments
    assert found is not None
    return found


def table(
    sql: psycopg.Connection[Any], *, time: str = "timestamptz", amount: str = "bigint"
) -> None:
    sql.execute(
        f"CREATE TABLE sales (id serial, status text, amount {amount}, currency text, code text,"
        f" customer text, created_at {time}, completed_at {time})"
    )


def add(
    sql: psycopg.Connection[Any],
    at: datetime,
    status: str = "paid",
    amount: object = 1000,
    took: float | None = None,
    **more: object,
) -> None:
    """A row; `took` seconds until it was completed."""
    naive = {"created_at": at, "completed_at": at + timedelta(seconds=took) if took else None}
    given = {"status": status, "amount": amount, **naive, **more}
    names = ", ".join(given)
    places = ", ".join(["%s"] * len(given))
    sql.execute("SET TIME ZONE 'UTC'")
    sql.execute(f"INSERT INTO sales ({names}) VALUES ({places})", list(given.values()))


def money(rows: tuple[Outcome, ...]) -> dict[str, tuple[int, int, int]]:
    """By currency: payments, minor units, those without a readable amount."""
    return {row.currency: (row.count, row.minor, row.inexact) for row in rows}


@pytest.mark.parametrize(
    ("unit", "amount", "kind", "minor"),
    [
        ("minor", {"usd": 1999, "jpy": 500, "kwd": 1234}, "bigint", (1999, 500, 1234)),
        ("major", {"usd": "19.99", "jpy": "500", "kwd": "1.234"}, "numeric", (1999, 500, 1234)),
        ("major", {"usd": 19.99, "jpy": 500.0, "kwd": 1.234}, "float8", (1999, 500, 1234)),
        ("major", {"usd": "19.99", "jpy": "500", "kwd": "1.234"}, "text", (1999, 500, 1234)),
    ],
)
def test_money_of_every_exponent(
    sql: psycopg.Connection[Any],
    postgres: PostgresSource,
    unit: str,
    amount: dict[str, object],
    kind: str,
    minor: tuple[int, int, int],
) -> None:
    table(sql, amount=kind)
    for code, value in amount.items():
        for _ in range(3):
            add(sql, BEGIN, amount=value, currency=code.upper())
    reader = StatsReader(postgres, ledger(amount_unit=unit))
    expected = {code: (3, 3 * one, 0) for code, one in zip(amount, minor, strict=True)}
    assert money(reader.outcomes(DAY)) == expected
    assert money(reader.series(DAY, "hour")[BEGIN]) == expected


def test_what_is_no_amount_is_counted_and_in_no_sum(
    sql: psycopg.Connection[Any], postgres: PostgresSource
) -> None:
    table(sql, amount="float8")
    for value in (1.5, None, float("nan"), float("inf"), 0.001):
        add(sql, BEGIN, amount=value)
    reader = StatsReader(postgres, ledger(amount_unit="major"))
    # A float is rounded to its cents: a thousandth is no money, but no riddle either.
    assert money(reader.outcomes(DAY)) == {"usd": (5, 150, 3)}
    assert money(reader.series(DAY, "day")[BEGIN]) == {"usd": (5, 150, 3)}


def test_both_ways_of_counting_agree(
    sql: psycopg.Connection[Any], postgres: PostgresSource
) -> None:
    table(sql)
    for number in range(60):
        add(
            sql,
            BEGIN + number * timedelta(minutes=17),
            status=("paid", "failed", "new", "odd")[number % 4],
            amount=number % 7,
            code=("expired_card", None)[number % 2],
            currency=("usd", "jpy", "", None)[number % 3],
        )
    reader = StatsReader(postgres, ledger())
    sums: dict[tuple[object, ...], tuple[int, int]] = {}
    for rows in reader.series(DAY, "hour").values():
        for row in rows:
            key = (row.status, row.raw, row.failure_code, row.currency)
            count, minor = sums.get(key, (0, 0))
            sums[key] = (count + row.count, minor + row.minor)
    whole = reader.outcomes(DAY)
    assert sums == {
        (row.status, row.raw, row.failure_code, row.currency): (row.count, row.minor)
        for row in whole
    }
    read = postgres.ledger(ledger()).outcomes(DAY).rows
    assert {replace(row, without_reference=0) for row in read} == {
        replace(row, without_reference=0) for row in whole
    }


@pytest.mark.parametrize("time", ["timestamptz", "timestamp"])
def test_edges_and_hours_are_utcs(
    sql: psycopg.Connection[Any], postgres: PostgresSource, time: str
) -> None:
    table(sql, time=time)
    second = timedelta(seconds=1)
    for at in (BEGIN - second, BEGIN, BEGIN + HOUR - second, BEGIN + HOUR, DAY.until - second):
        add(sql, at.replace(tzinfo=None) if time == "timestamp" else at)
    add(sql, DAY.until.replace(tzinfo=None) if time == "timestamp" else DAY.until)
    reader = StatsReader(postgres, ledger())
    assert sum(row.count for row in reader.outcomes(DAY)) == 4
    hours = reader.series(DAY, "hour")
    assert {at: sum(row.count for row in rows) for at, rows in hours.items()} == {
        BEGIN: 2,
        BEGIN + HOUR: 1,
        DAY.until - HOUR: 1,
    }
    assert list(reader.series(DAY, "day")) == [BEGIN]


def test_naive_times_of_another_zone_stand_in_their_utc_hour(
    sql: psycopg.Connection[Any], postgres: PostgresSource
) -> None:
    table(sql, time="timestamp")
    # 01:30 in Berlin is 00:30 UTC; 03:30 is 01:30 UTC: between them the clock jumped.
    for clock in ("2026-03-29 01:30", "2026-03-29 03:30"):
        sql.execute(
            "INSERT INTO sales (status, amount, created_at) VALUES ('paid', 1, %s)", [clock]
        )
    reader = StatsReader(postgres, ledger(timezone="Europe/Berlin"))
    assert list(reader.series(DAY, "hour")) == [BEGIN, BEGIN + HOUR]


def test_latency_is_exact(sql: psycopg.Connection[Any], postgres: PostgresSource) -> None:
    table(sql)
    for took in range(1, 101):
        add(sql, BEGIN, took=took)
    add(sql, BEGIN, took=-5)
    add(sql, BEGIN, status="failed", took=9000)
    add(sql, BEGIN)
    found = StatsReader(postgres, ledger()).latency(DAY)
    assert (found.count, found.negative) == (100, 1)
    assert found.average == pytest.approx(50_500)
    assert found.p50 == pytest.approx(50_500)
    assert found.p95 == pytest.approx(95_050)
    assert found.longest == pytest.approx(100_000)
    assert StatsReader(postgres, ledger()).latencies(DAY, "hour") == {BEGIN: found}


def test_an_infinite_time_is_no_latency(
    sql: psycopg.Connection[Any], postgres: PostgresSource
) -> None:
    table(sql)
    add(sql, BEGIN, took=2)
    sql.execute(
        "INSERT INTO sales (status, amount, created_at, completed_at) VALUES ('paid', 1, %s,"
        " 'infinity')",
        [BEGIN],
    )
    assert StatsReader(postgres, ledger()).latency(DAY).count == 1


def test_an_empty_window(sql: psycopg.Connection[Any], postgres: PostgresSource) -> None:
    table(sql)
    reader = StatsReader(postgres, ledger())
    assert reader.outcomes(DAY) == ()
    assert reader.series(DAY, "hour") == {}
    assert reader.latency(DAY) == NO_LATENCY
    assert reader.latencies(DAY, "day") == {}
    assert reader.failures(DAY, 5) == ()
    customers = reader.customers(DAY)
    assert customers is not None
    assert (customers.total, customers.by_code) == (0, {})


def test_without_a_time_of_completion(
    sql: psycopg.Connection[Any], postgres: PostgresSource
) -> None:
    table(sql)
    reader = StatsReader(postgres, ledger(columns={"completed_at": ""}))
    with pytest.raises(NotConfiguredError, match="how long payments took"):
        reader.latency(DAY)


def test_customers_are_distinct(sql: psycopg.Connection[Any], postgres: PostgresSource) -> None:
    table(sql)
    for code, customer in (("a", "1"), ("a", "1"), ("a", "2"), (None, "2"), ("b", None)):
        add(sql, BEGIN, status="failed", code=code, customer=customer)
    add(sql, BEGIN, status="paid", code="a", customer="3")
    found = StatsReader(postgres, ledger()).customers(DAY)
    assert found is not None
    assert found.total == 2
    assert found.by_code == {"a": 2, None: 1, "b": 0}
    assert StatsReader(postgres, ledger(columns={"customer_id": ""})).customers(DAY) is None


def test_the_last_failures(sql: psycopg.Connection[Any], postgres: PostgresSource) -> None:
    table(sql)
    for number in range(5):
        add(sql, BEGIN + number * HOUR, status="failed", amount=number, code=f"c{number}")
    found = StatsReader(postgres, ledger()).failures(DAY, 2)
    assert [one.failure_code for one in found] == ["c4", "c3"]
    assert found[0].amount == Money("usd", 4)
    assert found[0].created_at == BEGIN + 4 * HOUR


def test_case_is_as_the_mapping_says(
    sql: psycopg.Connection[Any], postgres: PostgresSource
) -> None:
    table(sql)
    add(sql, BEGIN, status="PAID", took=1)
    assert StatsReader(postgres, ledger()).outcomes(DAY)[0].status is None
    blind = StatsReader(postgres, ledger(match_case=False))
    assert blind.outcomes(DAY)[0].status is PaymentStatus.SUCCEEDED
    assert blind.latency(DAY).count == 1
