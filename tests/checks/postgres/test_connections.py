"""Are connections left, and who holds them?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask, as_role
from payops.checks.postgres.connections import CHECK, Facts, Holder
from payops.errors import Failure, SourceError
from payops.lab.servers.postgres import PostgresServer
from tools import NOW, Raises, assert_crit, assert_is, assert_ok, fake_context, gathered, judged

HOLDERS = (
    Holder("checkout", "app", "idle", 60),
    Holder("checkout", "app", "idle in transaction", 20),
    Holder("worker\x1b[31m", "app", "active", 10),
)


def facts(used: int, usable: int = 100, **given: Any) -> Facts:
    return Facts(NOW, used, usable, holders=HOLDERS, role="payops", **given)


@pytest.mark.parametrize(
    ("used", "overrides", "status"),
    [
        (0, {}, "OK"),
        (80, {}, "OK"),
        (81, {}, "WARN"),
        (95, {}, "WARN"),
        (96, {}, "CRIT"),
        (120, {}, "CRIT"),
        (50, {"connections": {"warn": "40%", "crit": "49%"}}, "CRIT"),
        (100, {"connections": {"crit": None}}, "WARN"),
        (100, {"connections": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_share_of_the_servers_limit(used: int, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(used), **overrides)
    told = f"{used} of 100 connections used ({used} %)"
    assert_is(
        status,
        result,
        told if used <= 100 else "100 of 100 connections used, and 20 of those reserved",
    )
    assert bool(result.evidence) == bool(result.actions) == (status != "OK")
    if status != "OK":
        assert "checkout holds 80" in result.summary
        assert result.evidence[1].what == "checkout, role app: 20 sessions idle in transaction"


@pytest.mark.parametrize(
    ("here", "limit", "status"),
    [(7, -1, "OK"), (8, 10, "OK"), (9, 10, "WARN"), (10, 10, "CRIT"), (1, 0, "CRIT")],
)
def test_the_databases_own_limit(here: int, limit: int, status: str) -> None:
    result = judged(CHECK, facts(10, used_here=here, limit_here=limit))
    assert_is(status, result, f"the database's own {limit}" if status != "OK" else "of")


def test_no_slot_at_all_does_not_crash() -> None:
    assert_crit(judged(CHECK, facts(3, 0)), "0 of 0 connections used, and 3 of those reserved")


def test_hidden_sessions_are_said_to_need_a_grant() -> None:
    actions = judged(CHECK, facts(99, hidden=3)).actions
    assert 'GRANT pg_read_all_stats TO "payops"' in actions[-1].text


def test_a_server_without_a_slot_is_the_finding() -> None:
    error = Raises(
        Failure.TOO_MANY_CONNECTIONS, "postgres", "db:5432: remaining slots are reserved"
    )
    found = gathered(CHECK, fake_context(postgres=error))
    result = judged(CHECK, found)
    assert_crit(result, "no connection is left: db:5432: remaining slots are reserved")
    assert "superuser" in result.actions[0].text
    assert "pg_use_reserved_connections" in result.actions[-1].text
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(postgres=Raises(Failure.REFUSED)))


def test_a_real_role_without_a_slot(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    sql.execute("ALTER ROLE plain CONNECTION LIMIT 0")
    try:
        result = judged(CHECK, gathered(CHECK, ctx("plain")))
    finally:
        sql.execute("ALTER ROLE plain CONNECTION LIMIT -1")
    assert_crit(result, "too many connections for role")


def test_holders_on_a_real_server(
    ctx: Ask, server: PostgresServer, sql: psycopg.Connection[Any]
) -> None:
    name = "shop; drop"
    with psycopg.connect(as_role(server, "app"), application_name=name) as held:
        held.execute("SELECT 1")
        found = gathered(CHECK, ctx())
    assert Holder(name, "app", "idle in transaction", 1) in found.holders
    assert found.usable == 50 - 3 - 5
    assert 2 <= found.used < 20
    assert_ok(judged(CHECK, found))
    assert judged(CHECK, found).measured["idle_in_transaction"] == 1
