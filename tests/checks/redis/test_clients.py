"""Does Redis turn clients away?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from checks.redis.conftest import Ask
from payops.checks.contract import Earlier
from payops.checks.redis.clients import CHECK, Facts
from tools import NOW, assert_is, assert_ok, assert_warn, gathered, judged


def facts(clients: int = 1, rejected: int = 0, most: int = 100) -> Facts:
    return Facts(NOW, clients, most, rejected, 7200)


@pytest.mark.parametrize(
    ("clients", "rejected", "overrides", "status"),
    [
        (80, 0, {}, "OK"),
        (81, 0, {}, "WARN"),
        (95, 0, {}, "WARN"),
        (96, 0, {}, "CRIT"),
        (1, 1, {}, "WARN"),
        (1, 1, {"rejected": {"warn": None}}, "OK"),
        (1, 5, {"rejected": {"crit": 4}}, "CRIT"),
    ],
)
def test_limits(clients: int, rejected: int, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(clients, rejected), **overrides)
    assert_is(status, result, f"{clients} clients of 100")
    assert bool(result.actions) == (status != "OK")


def test_what_was_rejected_before_an_earlier_run_is_over() -> None:
    earlier = Earlier(NOW - timedelta(minutes=5), {"total_rejected": 40})
    assert_ok(judged(CHECK, replace(facts(rejected=40), earlier=earlier)))
    result = judged(CHECK, replace(facts(rejected=42), earlier=earlier))
    assert_warn(result, "2 turned away in the last 5 min")
    restarted = judged(CHECK, replace(facts(rejected=3), earlier=earlier))
    assert_warn(restarted, "3 turned away in the last 2 h")


def test_a_service_that_tells_no_limit() -> None:
    assert_ok(judged(CHECK, facts(9000, most=0)), "9,000 clients")


def test_gather(ctx: Ask) -> None:
    found = gathered(CHECK, ctx())
    assert found.maxclients == 200
    assert found.clients >= 1
    assert_ok(judged(CHECK, found), "of 200")
