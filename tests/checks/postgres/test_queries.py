"""How long has the longest statement been running?"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from checks.postgres.backends import backend, hidden, seen
from checks.postgres.conftest import Ask, as_role
from payops.checks.postgres.queries import CHECK
from payops.lab.servers.postgres import PostgresServer
from tools import assert_is, assert_ok, assert_skip, assert_warn, gathered, judged


@pytest.mark.parametrize(
    ("age", "overrides", "status"),
    [
        (30, {}, "OK"),
        (30.1, {}, "WARN"),
        (300, {}, "WARN"),
        (300.1, {}, "CRIT"),
        (300.1, {"age": {"warn": "10m", "crit": None}}, "OK"),
    ],
)
def test_limits(age: float, overrides: dict[str, Any], status: str) -> None:
    running = backend(3, state="active", query_s=age, query="SELECT sum(x) FROM t WHERE y = 'z'")
    result = judged(CHECK, seen(running, backend(4, query_s=9e6)), **overrides)
    assert_is(status, result, "1 statement runs, the longest for")
    if status != "OK":
        assert "runs SELECT sum(x) FROM t WHERE y = ?" in result.evidence[0].what


def test_none_runs() -> None:
    assert_ok(judged(CHECK, seen(backend(1, query_s=9e6))), "no statement is running")


def test_hidden() -> None:
    assert_skip(judged(CHECK, seen(hidden())), "the longest statement cannot be told")


def test_a_real_one(ctx: Ask, server: PostgresServer, sql: psycopg.Connection[Any]) -> None:
    with psycopg.connect(as_role(server, "app"), application_name="report") as slow:
        thread = threading.Thread(target=slow.execute, args=("SELECT pg_sleep(0.6)",))
        thread.start()
        time.sleep(0.3)
        result = judged(CHECK, gathered(CHECK, ctx()), age={"warn": 0.1})
        thread.join(5)
    assert_warn(result, "1 statement runs", "report (pid")
    assert "runs SELECT pg_sleep(?)" in result.evidence[0].what
