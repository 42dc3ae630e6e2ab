"""Does Redis throw keys away that payments need?"""

from __future__ import annotations

import pytest
import redis

from checks.redis.conftest import PAYMENT_KEYS, Ask
from payops.checks.redis.eviction import CHECK, Facts
from tools import NOW, assert_is, assert_ok, assert_warn, gathered, judged


def facts(
    most: int = 0, policy: str = "noeviction", evicted: int = 0, keys: tuple[str, ...] = ("keys",)
) -> Facts:
    return Facts(NOW, most, policy, evicted, 7200, keys, "redis-cli -h h")


@pytest.mark.parametrize(
    ("most", "policy", "evicted", "status", "words"),
    [
        (0, "noeviction", 0, "OK", "no limit of memory"),
        (0, "allkeys-lru", 0, "OK", "no limit of memory"),
        (9, "noeviction", 0, "OK", "throws nothing away"),
        (9, "allkeys-lru", 0, "WARN", "policy allkeys-lru lets keys be thrown away"),
        (9, "volatile-ttl", 0, "WARN", "volatile-ttl"),
        (9, "", 0, "OK", "policy unknown"),
        (9, "noeviction", 1, "WARN", "1 evicted since it started 2 h ago"),
        (9, "allkeys-lru", 1234, "WARN", "1,234 evicted"),
    ],
)
def test_policy_and_count(most: int, policy: str, evicted: int, status: str, words: str) -> None:
    result = judged(CHECK, facts(most, policy, evicted))
    assert_is(status, result, words)
    assert bool(result.actions) == (status != "OK")
    commands = [action.command for action in result.actions]
    assert ("payops reconcile --since 24h" in commands) == bool(evicted)


def test_a_cache_may_evict() -> None:
    assert_ok(judged(CHECK, facts(9, "allkeys-lru", 5, keys=())), "no keys of payments lie here")


def test_limits() -> None:
    assert_is("CRIT", judged(CHECK, facts(evicted=11), evicted={"crit": 10}))
    assert_ok(judged(CHECK, facts(evicted=11), evicted={"warn": None}))


def test_a_real_one_that_evicts(ctx: Ask, client: redis.Redis) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**PAYMENT_KEYS))))
    before = gathered(CHECK, ctx()).evicted
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
    for number in range(200):
        client.set(f"idem:{number}", "x" * 10_000)
    found = gathered(CHECK, ctx(**PAYMENT_KEYS))
    assert found.evicted > before
    assert_warn(
        judged(CHECK, found), "allkeys-lru lets idempotency keys and keys of webhook events"
    )
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "no keys of payments lie here")
