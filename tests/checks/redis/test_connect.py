"""Does Redis answer, as what, and how fast?"""

from __future__ import annotations

from typing import Any

import pytest

from checks.redis.conftest import Ask
from payops.checks.redis.connect import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from tools import NOW, Raises, assert_is, assert_ok, fake_context, gathered, judged


@pytest.mark.parametrize(
    ("latency", "overrides", "status"),
    [
        (0.3, {}, "OK"),
        (500, {}, "OK"),
        (500.1, {}, "WARN"),
        (60, {"latency": {"warn": 10, "crit": "50ms"}}, "CRIT"),
        (9e9, {"latency": {"warn": None}}, "OK"),
    ],
)
def test_latency(latency: float, overrides: dict[str, Any], status: str) -> None:
    result = judged(
        CHECK, Facts(NOW, "7.2.4", "master", 7200, latency, "redis-cli -h h"), **overrides
    )
    assert_is(status, result, "Redis 7.2.4, master, up for 2 h, answers in")
    if status != "OK":
        assert result.actions[0].command == "redis-cli -h h SLOWLOG GET"


def test_a_replica_says_so() -> None:
    assert_ok(judged(CHECK, Facts(NOW, "7.2.4", "slave", 1, 1)), "replica")


def test_gather(ctx: Ask) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "master")
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(redis=Raises(Failure.REFUSED)))
