"""Do cached numbers end some day, and are they fresh?"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
import redis

from checks.redis.conftest import Ask
from payops.checks.redis.caches import CHECK, Cache, Facts, made_at
from payops.errors import NotConfiguredError
from tools import NOW, assert_is, assert_ok, assert_typeable, assert_warn, before, gathered, judged

CACHES = {"circuit": {"caches": {"analytics": "analytics:*"}}}


@pytest.mark.parametrize(
    ("endless", "age_s", "status", "words"),
    [
        (0, None, "OK", "analytics: 9 keys"),
        (0, 60, "OK", "made 60 s ago"),
        (0, 3600, "OK", "made 1 h ago"),
        (0, 3601, "WARN", "made 1 h ago"),
        (0, -86_400, "OK", "made -1 d ago"),  # a clock that is ahead is no stale cache
        (1, None, "WARN", "1 never expire"),
        (9, 172_800, "WARN", "9 never expire, the oldest value made 2 d ago"),
    ],
)
def test_limits(endless: int, age_s: int | None, status: str, words: str) -> None:
    made = None if age_s is None else before(age_s)
    key = "" if age_s is None else "analytics:1"
    result = judged(CHECK, Facts(NOW, (Cache("analytics", 9, True, 9, endless, key, made),)))
    assert_is(status, result, words)
    assert bool(result.actions) == (status != "OK")
    assert result.measured["age"] == (age_s or 0)
    assert result.since == (made if status != "OK" else None)


def test_of_several_the_stale_one_is_cleared() -> None:
    caches = (
        Cache("analytics", 9, True, 9, 0, "a:1", before(60)),
        Cache("reports", 60_000, False, 2_000, 40, "r:7", before(7200)),
    )
    result = judged(CHECK, Facts(NOW, caches))
    assert_warn(result, "reports: 60,000 or more keys, 40 of 2,000 looked at never expire")
    assert result.actions[0].command == "payops remedy plan clear-cache --set cache=reports"
    assert [one.what for one in result.evidence] == ["r:7 was made 2026-02-11T07:30:00Z"]
    for action in result.actions:
        if action.command:
            assert_typeable(action.command)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (None, None),
        (b"", None),
        (b"17", None),
        (b"[1]", None),
        (b"{broken", None),
        (b'{"revenue": 5}', None),
        (b'{"generated_at": null, "timestamp": true}', None),
        (b'{"generated_at": 1e400}', None),
        (b'{"generated_at": -5}', None),
        (b'{"generated_at": "yesterday", "cached_at": 1770802200}', NOW),
        (b' {"timestamp": 1770802200000}', NOW),
        (b'{"computed_at": "2026-02-11T09:30:00"}', NOW),
        (b'{"cached_at": "2026-02-11T10:30:00+01:00"}', NOW),
        (b'{"timestamp": "2026-02-11T09:30:00Z"}', NOW),
        (b"{" + b'"a":{' * 20_000, None),
        (b"{" + b'"a":' + b"[" * 60_000, None),
        (b"\xff\xfe{}", None),
    ],
)
def test_when_a_value_was_made(text: bytes | None, made: datetime | None) -> None:
    assert made_at(text) == made


def test_a_real_cache(ctx: Ask, client: redis.Redis) -> None:
    now = int(time.time())
    for number in range(5):
        client.set(f"analytics:{number}", json.dumps({"generated_at": now - number}), ex=600)
    client.lpush("analytics:list", "1")
    client.expire("analytics:list", 600)
    client.set("other", "1")
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**CACHES))), "analytics: 6 keys, the oldest")
    client.set("analytics:old", json.dumps({"timestamp": now - 7_200}), ex=600)
    assert_warn(judged(CHECK, gathered(CHECK, ctx(**CACHES))), "7 keys, the oldest value made 2 h")
    client.delete("analytics:old")
    client.set("analytics:ever", "1")
    assert_warn(judged(CHECK, gathered(CHECK, ctx(**CACHES))), "7 keys, 1 never expire")
    client.delete("analytics:ever")
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**CACHES))))
    found = gathered(CHECK, ctx(**CACHES))
    assert found.caches[0].made == datetime.fromtimestamp(now - 4, UTC)


def test_an_empty_cache_and_none(ctx: Ask, client: redis.Redis) -> None:
    client.set("other", "1")
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**CACHES))), "analytics: 0 keys")
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, ctx())
    assert CHECK.deep
