"""Are transactions held open while nothing is done in them?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.backends import backend, hidden, seen
from checks.postgres.conftest import Ask, as_role
from payops.checks.postgres.idle_in_transaction import CHECK
from payops.lab.servers.postgres import PostgresServer
from tools import assert_is, assert_ok, assert_skip, gathered, judged


def idle(pid: int, age: float, state: str = "idle in transaction") -> Any:
    return backend(pid, state=state, state_s=age, transaction_s=age + 1)


@pytest.mark.parametrize(
    ("ages", "overrides", "status"),
    [
        ([60], {}, "OK"),
        ([60.1], {}, "WARN"),
        ([300], {}, "WARN"),
        ([300.1], {}, "CRIT"),
        ([1] * 5, {}, "OK"),
        ([1] * 6, {}, "WARN"),
        ([1] * 20, {}, "WARN"),
        ([1] * 21, {}, "CRIT"),
        ([0.99] * 30, {}, "OK"),
        ([500], {"age": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_limits(ages: list[float], overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, seen(*[idle(pid, age) for pid, age in enumerate(ages, 1)]), **overrides)
    assert_is(status, result)
    assert bool(result.actions) == (status != "OK")


def test_who_it_is_and_an_aborted_one() -> None:
    result = judged(CHECK, seen(idle(7, 400, "idle in transaction (aborted)"), idle(8, 90)))
    assert_is("CRIT", result, "2 transactions are held open idly, the longest for 6 min by shop")
    assert "pid in (7, 8)" in result.actions[0].command
    assert "(aborted)" in result.evidence[0].what


def test_what_is_active_or_not_in_a_transaction_does_not_count() -> None:
    result = judged(CHECK, seen(backend(1, state_s=9e4), backend(2, state="active", state_s=900)))
    assert_ok(result, "no transaction is held open idly")


def test_hidden_sessions_are_skipped_unless_something_is_wrong() -> None:
    result = judged(CHECK, seen(hidden(), idle(1, 5)))
    assert_skip(result, "role payops may not look into 1 of 2 sessions")
    assert result.actions[0].text.endswith('GRANT pg_read_all_stats TO "payops";')
    assert_is("WARN", judged(CHECK, seen(hidden(), idle(1, 90))))


def test_the_grant_gives_what_is_missing(
    ctx: Ask, server: PostgresServer, sql: psycopg.Connection[Any]
) -> None:
    with psycopg.connect(as_role(server, "app"), application_name="held") as held:
        held.execute("SELECT 1")
        result = judged(CHECK, gathered(CHECK, ctx("plain")))
        assert_skip(result, "role plain may not look into")
        grant = result.actions[0].text.partition(": ")[2]
        sql.execute(grant.encode())
        try:
            seen_now = judged(CHECK, gathered(CHECK, ctx("plain")), age={"warn": 0, "crit": 3600})
            facts = gathered(CHECK, ctx("plain"))
        finally:
            sql.execute("REVOKE pg_read_all_stats FROM plain")
    assert seen_now.status.value in ("OK", "WARN")
    assert ("held", "idle in transaction") in [(b.application, b.state) for b in facts.backends]
