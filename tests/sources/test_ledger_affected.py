"""Whom an incident concerns, on a real Postgres: each customer once, whatever happened to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from payops.config.ledger import Ledger, LedgerColumns
from payops.domain.window import Window
from payops.errors import SourceError
from payops.sources.ledger_affected import failing
from payops.sources.lookup import customers_of
from payops.sources.postgres import PostgresSource

Sql = psycopg.Connection[Any]
T0 = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
DAY = Window(T0 - timedelta(days=1), T0)


def ledger(**columns: str) -> Ledger:
    names = {"id": "id", "status": "status", "amount": "amount", "created_at": "made"}
    known = {"failure_code": "code", "customer_id": "customer"}
    statuses: Any = {"pending": ("PENDING",), "succeeded": ("paid",), "failed": ("Failed",)}
    return Ledger(
        table="payments",
        columns=LedgerColumns(**(names | known | columns)),
        statuses=statuses,
        issuer_declines=("No credit",),
    )


@pytest.fixture
def table(sql: Sql) -> Sql:
    sql.execute(
        "CREATE TABLE payments (id bigint PRIMARY KEY, status text, amount bigint, code text,"
        " customer text, made timestamptz)"
    )
    rows = [
        (1, "Failed", None, "ann", 50),  # by our fault, in the earlier half
        (2, "Failed", "api_error", "ann", 10),  # later
        (3, "Failed", "api_error", None, 9),  # later, of nobody
        (4, "Failed", "card_declined", "bob", 8),
        (5, "Failed", "No credit", "cid", 7),
        (6, "Failed", "api_error", "dan", 90),  # before it began
        (7, "PENDING", None, "eve", 100),  # stuck
        (8, "PENDING", None, "fay", 5),  # in flight
        (9, "paid", None, "gus", 40),
        (10, "paid", None, "hal", 40),
        (11, "Failed", None, "ida", 60 * 30),  # of another day
    ]
    for id_, status, code, customer, minutes in rows:
        sql.execute(
            "INSERT INTO payments VALUES (%s, %s, 1, %s, %s, %s)",
            (id_, status, code, customer, T0 - timedelta(minutes=minutes)),
        )
    return sql


def test_failures_by_halves_and_customers(table: Sql, postgres: PostgresSource) -> None:
    found = failing(
        postgres,
        ledger(),
        DAY,
        failing_since=T0 - timedelta(minutes=60),
        middle=T0 - timedelta(minutes=30),
        stuck_before=T0 - timedelta(minutes=30),
        keys=["9", "1", "odd", "99"],
    )
    assert (found.earlier, found.later) == (1, 2)
    assert found.newest == T0 - timedelta(minutes=9)
    assert found.customers == len({"ann", "eve", "gus"})


def test_nothing_is_of_nobody(table: Sql, postgres: PostgresSource) -> None:
    found = failing(
        postgres, ledger(), DAY, failing_since=None, middle=T0, stuck_before=None, keys=[]
    )
    assert (found.earlier, found.later, found.newest, found.customers) == (0, 0, None, 0)


def test_who_paid_is_not_known_where_no_column_says_so(
    table: Sql, postgres: PostgresSource
) -> None:
    nameless = ledger(customer_id="")
    found = failing(
        postgres, nameless, DAY, failing_since=DAY.since, middle=T0, stuck_before=None, keys=["1"]
    )
    assert found.customers is None
    assert customers_of(postgres, nameless, ["1"]) == []


def test_customers_of_keys(table: Sql, postgres: PostgresSource) -> None:
    assert sorted(customers_of(postgres, ledger(), ["1", "2", "3", "9", "x"])) == ["ann", "gus"]


def test_a_mapping_that_does_not_fit_is_told(table: Sql, postgres: PostgresSource) -> None:
    with pytest.raises(SourceError):
        failing(
            postgres,
            ledger(customer_id="payer"),
            DAY,
            failing_since=DAY.since,
            middle=T0,
            stuck_before=None,
            keys=[],
        )
