"""Which statements are slow on average?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.slow_statements import CALLS, CHECK, Facts
from payops.sources.postgres_statements import Statement, statements
from tools import NOW, assert_is, assert_ok, assert_skip, gathered, judged


def facts(*means: float, hidden: bool = False) -> Facts:
    found = [Statement("SELECT * FROM payments WHERE id = $1", 50, m, 2 * m, hidden) for m in means]
    return Facts(NOW, True, True, "payops", tuple(found))


@pytest.mark.parametrize(
    ("mean", "overrides", "status"),
    [
        (1000, {}, "OK"),
        (1000.1, {}, "WARN"),
        (5000, {}, "WARN"),
        (5000.1, {}, "CRIT"),
        (5000.1, {"mean": {"warn": "10s", "crit": None}}, "OK"),
    ],
)
def test_limits(mean: float, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(mean, 3), **overrides)
    assert_is(status, result, "SELECT * FROM payments WHERE id = $1")
    assert bool(result.evidence) == (status != "OK")


def test_none_hidden_and_not_there() -> None:
    assert_ok(judged(CHECK, facts()), f"no statement ran {CALLS} times yet")
    assert_skip(judged(CHECK, facts(1, hidden=True)), "may not see other roles' statements")
    assert_skip(judged(CHECK, Facts(NOW, False, False)), "not installed on the server")
    off = judged(CHECK, Facts(NOW, False, True))
    assert_skip(off, "not turned on")
    assert "shared_preload_libraries" in off.actions[0].text
    assert "CREATE EXTENSION pg_stat_statements" in off.actions[0].command


def test_a_server_without_the_extension(ctx: Ask) -> None:
    assert_skip(judged(CHECK, gathered(CHECK, ctx())), "pg_stat_statements is not")


def test_the_query_leaves_out_what_is_rare_and_what_is_maintenance(
    ctx: Ask, sql: psycopg.Connection[Any]
) -> None:
    """Over a table of the extension's columns: the wheel's server does not bring the extension."""
    sql.execute(
        'CREATE SCHEMA "odd schema"; CREATE TABLE "odd schema".pg_stat_statements AS SELECT '
        "(SELECT oid FROM pg_database WHERE datname = current_database()) AS dbid, "
        "query, calls::bigint, mean_exec_time::float8, 1::float8 AS max_exec_time "
        "FROM (VALUES ('SELECT 1', 20, 5.0), ('SELECT 2', 19, 9e9), (' \n VACUUM x', 99, 9e9), "
        "('copy t to stdout', 99, 9e9), ('<insufficient privilege>', 30, 7.0), "
        "('UPDATE t SET x = $1', 21, 6.5)) AS v (query, calls, mean_exec_time)"
    )
    try:
        found = statements(ctx().sources.postgres, "odd schema", 20).rows
    finally:
        sql.execute('DROP SCHEMA "odd schema" CASCADE')
    assert [(one.query, one.hidden) for one in found] == [
        ("<insufficient privilege>", True),
        ("UPDATE t SET x = $1", False),
        ("SELECT 1", False),
    ]
