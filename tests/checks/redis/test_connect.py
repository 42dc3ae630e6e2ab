"""Does Redis answer, is memory left, and has it thrown keys away?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from payops.checks.redis.connect import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.redis import RedisFacts
from tools import NOW, Raises, assert_is, assert_ok, fake_context, gathered, judged

MB = 1024**2


def facts(used: int = 10 * MB, most: int = 0, evicted: int = 0) -> Facts:
    return Facts(NOW, "7.2", "master", used, most, "allkeys-lru", evicted, 7200, 0.8)


@pytest.mark.parametrize(
    ("share", "overrides", "status"),
    [
        (0, {}, "OK"),
        (850, {}, "OK"),
        (851, {}, "WARN"),
        (950, {}, "WARN"),
        (951, {}, "CRIT"),
        (1300, {}, "CRIT"),
        (500, {"memory": {"warn": 40, "crit": "50%"}}, "WARN"),
        (1000, {"memory": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_memory(share: int, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(share * MB, 1000 * MB), **overrides)
    assert_is(status, result, "Redis 7.2, master, answers in 1 ms", f"{share}.0 MB used", "% of")
    assert bool(result.actions) == (status != "OK")


def test_without_a_limit_memory_is_no_trouble() -> None:
    result = judged(CHECK, facts(500_000 * MB))
    assert_ok(result, "MB used")
    assert "%" not in result.summary
    assert result.measured["memory"] is None


@pytest.mark.parametrize(
    ("evicted", "overrides", "status", "words"),
    [
        (0, {}, "OK", "used"),
        (1, {}, "WARN", "1 key evicted since it started 2 h ago (policy allkeys-lru)"),
        (1234, {}, "WARN", "1,234 keys evicted"),
        (1234, {"evicted": {"crit": 1000}}, "CRIT", "1,234 keys"),
        (1234, {"evicted": {"warn": None}}, "OK", "used"),
    ],
)
def test_evictions(evicted: int, overrides: dict[str, Any], status: str, words: str) -> None:
    result = judged(CHECK, facts(evicted=evicted), **overrides)
    assert_is(status, result, words)
    assert ("evicted" in result.summary) == (status != "OK")


def test_gather() -> None:
    info = RedisFacts(
        version="7.2",
        role="slave",
        used_memory=1,
        maxmemory=None,
        maxmemory_policy="noeviction",
        evicted_keys=2,
        rejected_connections=0,
        connected_clients=1,
        uptime_s=3,
        loading=False,
        rdb_last_bgsave_ok=None,
        aof_last_write_ok=None,
        link_up=True,
        latency_ms=0.5,
        as_of=NOW,
    )
    found = gathered(
        CHECK, fake_context(redis=SimpleNamespace(facts=lambda: info, cli="redis-cli -h h"))
    )
    assert (found.maxmemory, found.role, found.evicted) == (0, "slave", 2)
    assert judged(CHECK, found).actions[0].command == "redis-cli -h h INFO stats"
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(redis=Raises(Failure.REFUSED)))
