"""Do transactions die in deadlocks?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.postgres.conftest import Ask
from payops.checks.contract import Earlier
from payops.checks.counted import Rate, rate_of
from payops.checks.postgres.deadlocks import CHECK, ID, Facts
from tools import NOW, assert_is, assert_ok, assert_skip, gathered, judged


@pytest.mark.parametrize(
    ("count", "seconds", "status"),
    [
        (0, 60, "OK"),
        (1, 60, "OK"),
        (2, 60, "WARN"),
        (10, 60, "WARN"),
        (11, 60, "CRIT"),
        (24, 86_400, "OK"),
        (25, 86_400, "WARN"),
        (240, 86_400, "WARN"),
        (241, 86_400, "CRIT"),
    ],
)
def test_limits(count: int, seconds: float, status: str) -> None:
    result = judged(CHECK, Facts(NOW, 500, Rate(count, seconds)))
    assert_is(status, result, f"{count:,} deadlocks in")
    assert result.measured["total"] == 500


def test_without_two_readings_there_is_no_rate() -> None:
    assert_ok(judged(CHECK, Facts(NOW, 0, None)), "no deadlock was ever counted")
    assert_skip(judged(CHECK, Facts(NOW, 7, None)), "7 deadlocks counted, since when is not known")


def test_rates_of_counters() -> None:
    hour = timedelta(hours=1)
    earlier = Earlier(NOW - hour, {"total": 5})
    assert rate_of(8, NOW, earlier, "total", None) == Rate(3, 3600)
    assert rate_of(4, NOW, earlier, "total", None) is None, "the counter began anew"
    assert rate_of(4, NOW, earlier, "total", 60.0) == Rate(4, 60.0)
    assert rate_of(8, NOW, Earlier(NOW, {"total": 5}), "total", None) is None, "just now"
    assert rate_of(8, NOW, Earlier(NOW - hour, {"total": None}), "total", 100) == Rate(8, 100)
    assert rate_of(8, NOW, None, "total", 1.0) is None


def test_gather(ctx: Ask) -> None:
    found = gathered(CHECK, ctx())
    assert found.rate is None
    assert_ok(judged(CHECK, found))
    context = ctx()
    earlier = {ID: Earlier(found.as_of - timedelta(hours=2), {"total": 0})}
    rate = gathered(CHECK, replace(context, earlier=earlier)).rate
    assert rate is not None
    assert rate.count == 0
