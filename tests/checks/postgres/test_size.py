"""How large is the database, and how fast does it grow?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.contract import Earlier
from payops.checks.postgres.size import CHECK, Facts
from tools import NOW, assert_is, assert_ok, gathered, judged

GIB = 1024**3


@pytest.mark.parametrize(
    ("size", "overrides", "status"),
    [
        (GIB, {}, "OK"),
        (1000 * GIB, {}, "OK"),
        (GIB, {"bytes": {"warn": GIB}}, "OK"),
        (GIB + 1, {"bytes": {"warn": GIB, "crit": 2 * GIB}}, "WARN"),
        (2 * GIB + 1, {"bytes": {"warn": GIB, "crit": 2 * GIB}}, "CRIT"),
    ],
)
def test_a_limit_of_ones_own(size: int, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, Facts(NOW, size, {"payments": size // 2}), **overrides)
    assert_is(status, result, "the database has", "payments")
    assert bool(result.actions) == (status != "OK")


@pytest.mark.parametrize(
    ("before", "hours", "status", "growth"),
    [
        (10 * GIB, 24, "OK", 0.0),
        (10 * GIB * 100 // 109, 24, "OK", 9.0),
        (9 * GIB, 24, "WARN", 11.11),
        (9 * GIB, 48, "OK", 5.56),
        (10 * GIB - 1000, 1.1, "OK", 0.0),
        (20 * GIB, 24, "OK", -50.0),
        (GIB, 0.5, "OK", None),
    ],
)
def test_growth_since_an_earlier_run(
    before: int, hours: float, status: str, growth: float | None
) -> None:
    earlier = Earlier(NOW - timedelta(hours=hours), {"bytes": before})
    result = judged(CHECK, Facts(NOW, 10 * GIB, earlier=earlier))
    assert_is(status, result)
    assert result.measured["growth"] == pytest.approx(growth, abs=0.01)


@pytest.mark.parametrize("before", [None, "many", True, 0, -5])
def test_nonsense_of_an_earlier_run_is_no_growth(before: Any) -> None:
    earlier = Earlier(NOW - timedelta(days=1), {"bytes": before})
    assert judged(CHECK, Facts(NOW, GIB, earlier=earlier)).measured["growth"] is None


def test_gather(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    found = gathered(CHECK, ctx())
    assert found.bytes > 1_000_000
    assert set(found.tables) == {"payments"}
    assert_ok(judged(CHECK, found), "payments")
    assert_ok(judged(CHECK, gathered(CHECK, ctx(ledgers={}))), "the database has")


def test_it_is_a_slow_one() -> None:
    assert CHECK.deep
