"""How old is the oldest transaction?"""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from checks.postgres.backends import backend, hidden, seen
from checks.postgres.conftest import Ask, as_role
from payops.checks.postgres.transactions import CHECK
from payops.lab.servers.postgres import PostgresServer
from tools import assert_crit, assert_is, assert_ok, assert_skip, assert_warn, gathered, judged


@pytest.mark.parametrize(
    ("age", "overrides", "status"),
    [
        (300, {}, "OK"),
        (300.1, {}, "WARN"),
        (3600, {}, "WARN"),
        (3600.1, {}, "CRIT"),
        (3600.1, {"age": {"crit": "2h"}}, "WARN"),
    ],
)
def test_limits(age: float, overrides: dict[str, Any], status: str) -> None:
    open_one = backend(5, state="active", transaction_s=age, query="REFRESH report")
    result = judged(CHECK, seen(open_one, backend(6, transaction_s=1)), **overrides)
    assert_is(status, result, "shop (pid 5, role app, from 10.0.0.1)")
    if status != "OK":
        assert "pid in (5)" in result.actions[0].command
        assert "runs REFRESH report" in result.evidence[0].what


def test_none_is_open() -> None:
    assert_ok(judged(CHECK, seen(backend(1))), "no transaction is open")


def test_workers_of_the_server_are_left_out() -> None:
    worker = backend(1, kind="autovacuum worker", state="active", transaction_s=90_000)
    assert_ok(judged(CHECK, seen(worker)), "no transaction is open")


def test_a_prepared_transaction_counts() -> None:
    result = judged(CHECK, seen(backend(1, transaction_s=1), prepared_s=90_000))
    assert_crit(result, "a prepared one, 1 d 1 h old")
    assert "pg_prepared_xacts" in result.actions[0].command


def test_hidden() -> None:
    assert_skip(judged(CHECK, seen(hidden())), "the oldest transaction cannot be told")


def test_a_real_one(ctx: Ask, server: PostgresServer, sql: psycopg.Connection[Any]) -> None:
    with psycopg.connect(as_role(server, "app"), application_name="report") as held:
        held.execute("SELECT 1")
        time.sleep(0.15)
        result = judged(CHECK, gathered(CHECK, ctx()), age={"warn": 0.1})
    assert_warn(result, "old: report (pid")
