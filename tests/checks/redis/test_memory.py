"""Is memory left in Redis?"""

from __future__ import annotations

from typing import Any

import pytest
import redis

from checks.redis.conftest import Ask
from payops.checks.redis.memory import CHECK, Facts
from tools import NOW, assert_is, assert_ok, gathered, judged


def facts(used: int, most: int = 1000, system: int = 0, policy: str = "noeviction") -> Facts:
    return Facts(NOW, used, most, system, policy, "redis-cli -h h")


@pytest.mark.parametrize(
    ("used", "overrides", "status"),
    [
        (0, {}, "OK"),
        (850, {}, "OK"),
        (851, {}, "WARN"),
        (950, {}, "WARN"),
        (951, {}, "CRIT"),
        (951, {"memory": {"warn": "99%", "crit": None}}, "OK"),
    ],
)
def test_share_of_its_limit_or_of_the_machines(
    used: int, overrides: dict[str, Any], status: str
) -> None:
    result = judged(CHECK, facts(used), **overrides)
    assert_is(status, result, "% of its limit")
    assert bool(result.actions) == (status != "OK")
    assert_is(status, judged(CHECK, facts(used, 0, 1000), **overrides), "it has no limit")


def test_what_happens_at_the_limit() -> None:
    assert_is("CRIT", judged(CHECK, facts(999)), "writes are refused (policy noeviction)")
    assert_is("CRIT", judged(CHECK, facts(999, policy="allkeys-lru")), "keys are thrown away")


def test_a_service_that_tells_no_limit() -> None:
    result = judged(CHECK, facts(5_000_000, 0))
    assert_ok(result, "4.8 MiB used")
    assert result.measured["memory"] is None


def test_gather(ctx: Ask, client: redis.Redis) -> None:
    client.config_set("maxmemory", "512mb")
    found = gathered(CHECK, ctx())
    assert found.maxmemory == 512 * 1024**2
    assert found.system > found.maxmemory
    assert_ok(judged(CHECK, found), "of its limit")
