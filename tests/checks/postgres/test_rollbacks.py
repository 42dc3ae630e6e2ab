"""How many transactions are rolled back?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.contract import Earlier
from payops.checks.postgres.rollbacks import CHECK, ENOUGH, ID, Facts
from payops.lab.servers.postgres import PostgresServer
from tools import NOW, assert_is, assert_ok, gathered, judged


@pytest.mark.parametrize(
    ("commits", "rollbacks", "status"),
    [
        (800, 200, "OK"),
        (799, 201, "WARN"),
        (500, 500, "WARN"),
        (499, 501, "CRIT"),
        (0, ENOUGH - 1, "OK"),
        (0, ENOUGH, "CRIT"),
        (0, 0, "OK"),
    ],
)
def test_limits(commits: int, rollbacks: int, status: str) -> None:
    result = judged(CHECK, Facts(NOW, commits, rollbacks, 100, 9000, 900))
    assert_is(status, result, f"{rollbacks:,} of {commits + rollbacks:,} transactions rolled back")
    assert bool(result.actions) == (status != "OK")
    assert result.measured["per_second"] == pytest.approx(rollbacks / 100)


def test_since_an_earlier_run(ctx: Ask, server: PostgresServer) -> None:
    before = gathered(CHECK, ctx())
    assert before.seconds is not None, "the lab's counters began when its database was made"
    assert_ok(judged(CHECK, before), "too few to judge")
    assert_ok(judged(CHECK, replace(before, seconds=None)), "as long as is counted")
    with psycopg.connect(server.dsn) as connection:
        for _ in range(5):
            connection.execute("SELECT 1")
            connection.rollback()
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.commit()
    totals = {"total_commits": before.total_commits, "total_rollbacks": before.total_rollbacks}
    earlier = {ID: Earlier(before.as_of - timedelta(minutes=1), totals)}
    after = gathered(CHECK, replace(ctx(), earlier=earlier))
    assert after.rollbacks >= 5
    assert after.rollbacks == after.total_rollbacks - before.total_rollbacks
    assert after.seconds == pytest.approx(60, abs=10)
    assert judged(CHECK, after).measured["per_second"] is not None
