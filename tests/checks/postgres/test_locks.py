"""Who waits for whom, and who is at the root of it?"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.postgres.backends import backend, seen
from checks.postgres.conftest import Ask, as_role
from payops.checks.postgres.locks import CHECK, Facts, roots
from payops.lab.servers.postgres import PostgresServer
from tools import assert_crit, assert_is, assert_ok, gathered, judged


def waiting(pid: int, *blockers: int, age: float = 1.0, **more: Any) -> Any:
    return backend(
        pid, state="active", blocked_by=[*blockers], waiting_s=age, waiting_what="payments", **more
    )


@pytest.mark.parametrize(
    ("age", "count", "overrides", "status"),
    [
        (5, 1, {}, "OK"),
        (5.1, 1, {}, "WARN"),
        (30, 1, {}, "WARN"),
        (30.1, 1, {}, "CRIT"),
        (1, 3, {}, "OK"),
        (1, 4, {}, "WARN"),
        (1, 10, {}, "WARN"),
        (1, 11, {}, "CRIT"),
        (90, 11, {"wait": {"warn": None, "crit": None}, "waiting": {"crit": 20}}, "WARN"),
    ],
)
def test_limits(age: float, count: int, overrides: dict[str, Any], status: str) -> None:
    root = backend(1, application="job", state="idle in transaction", transaction_s=200)
    sessions = seen(root, *[waiting(pid, 1, age=age) for pid in range(2, 2 + count)])
    result = judged(CHECK, Facts(sessions), **overrides)
    assert_is(status, result, "at the root job (pid 1, role app, from 10.0.0.1)")
    assert result.evidence[0].what.startswith("root: job (pid 1, role app, from 10.0.0.1) holds up")
    assert bool(result.actions) == (status != "OK")


def test_nobody_waits() -> None:
    assert_ok(judged(CHECK, Facts(seen(backend(1)))), "nobody waits")


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ({2: [1], 3: [2], 4: [3]}, {1: 3}),
        ({2: [1], 3: [1, 2], 5: [4]}, {1: 2, 4: 1}),
        ({3: [1, 2]}, {1: 1, 2: 1}),
        ({1: [2], 2: [1]}, {1: 2}),
        ({3: [2], 1: [2], 2: [1]}, {1: 3}),
        ({2: [0]}, {0: 1}),
    ],
)
def test_roots(waits: dict[int, list[int]], expected: dict[int, int]) -> None:
    assert roots([waiting(pid, *blockers) for pid, blockers in waits.items()]) == expected


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), min_size=1, max_size=4)))
def test_every_wait_ends_at_a_root(waits: dict[int, list[int]]) -> None:
    found = roots([waiting(pid, *blockers) for pid, blockers in waits.items()])
    assert bool(found) == bool(waits)
    assert all(1 <= count <= len(waits) for count in found.values())


def test_a_prepared_transaction_holds_it() -> None:
    result = judged(CHECK, Facts(seen(waiting(2, 0, age=60))))
    assert_crit(result, "at the root a prepared transaction")
    assert "pg_prepared_xacts" in result.actions[0].command


def test_statements_are_shown_without_what_is_in_them() -> None:
    query = "UPDATE payments SET email = 'a@b.c\x1b[2J' WHERE token = 'sk_live_" + "x" * 30
    result = judged(CHECK, Facts(seen(backend(1, query=query), waiting(2, 1, query=query))))
    told = " ".join(one.what for one in result.evidence)
    assert "UPDATE payments SET email = ? WHERE token = ?" in told
    assert "a@b.c" not in told
    assert "sk_live" not in told
    assert "\x1b" not in told


def test_a_real_row_that_is_locked(
    ctx: Ask, server: PostgresServer, sql: psycopg.Connection[Any]
) -> None:
    sql.execute("INSERT INTO payments (status) VALUES ('pending')")
    lock = "SELECT id FROM payments WHERE status = 'pending' FOR UPDATE"
    dsn = as_role(server, "app")
    with (
        psycopg.connect(dsn, application_name="settlement") as holder,
        psycopg.connect(dsn, application_name="webhook") as waiter,
    ):
        root = holder.info.backend_pid
        holder.execute(lock)
        thread = threading.Thread(target=waiter.execute, args=(lock,))
        thread.start()
        try:
            for _ in range(200):
                found = gathered(CHECK, ctx())
                if any(one.blocked_by for one in found.sessions.backends):
                    break
                time.sleep(0.01)
            result = judged(CHECK, found, waiting={"warn": 0, "crit": None})
        finally:
            holder.rollback()
            thread.join(5)
    assert_is("WARN", result, "1 session waits for a lock", "at the root settlement (pid")
    assert result.actions[0].command.endswith(f'where pid in ({root})"')
    assert "last ran SELECT id FROM payments WHERE status = ? FOR UPDATE" in result.evidence[0].what
    assert "webhook (pid" in result.evidence[1].what
    with psycopg.connect(server.dsn) as after:
        after.execute(lock)


def test_a_role_without_rights_still_sees_who_waits(
    ctx: Ask, server: PostgresServer, sql: psycopg.Connection[Any]
) -> None:
    dsn = as_role(server, "app")
    with psycopg.connect(dsn) as holder, psycopg.connect(dsn) as waiter:
        root = holder.info.backend_pid
        holder.execute("SELECT pg_advisory_lock(7)")
        thread = threading.Thread(target=waiter.execute, args=("SELECT pg_advisory_lock(7)",))
        thread.start()
        try:
            for _ in range(200):
                found = gathered(CHECK, ctx("plain"))
                if any(one.blocked_by for one in found.sessions.backends):
                    break
                time.sleep(0.01)
        finally:
            holder.execute("SELECT pg_advisory_unlock(7)")
            thread.join(5)
    result = judged(CHECK, found, waiting={"warn": 0})
    assert_is("WARN", result, f"(pid {root}, role app)")
    assert "its statement may not be seen" in result.evidence[0].what
