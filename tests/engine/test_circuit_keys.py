"""Keys of payments in a real Redis: counted, looked into with secrets masked, a cache cleared."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_py

from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.plan_outcome import Result
from payops.engine.circuit_keys import bare, masked, one_key, overview
from payops.engine.planning import plan_remedy
from payops.engine.target import check_redis
from payops.errors import RefusedError, UsageError
from payops.lab.servers.redis import RedisServer
from payops.sources.redis_writer import RedisWriter

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
KEY = "sk_live_" + "a1B2" * 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def owner(server: RedisServer) -> Iterator[redis_py.Redis]:
    client = redis_py.Redis.from_url(server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def settings(server: RedisServer) -> Settings:
    return settings_from(
        {
            "redis": {"url": server.url},
            "trace": {"idempotency": {"key": "idempotency:{key}", "ttl": "24h"}},
            "circuit": {
                "in_progress": ["started"],
                "worker_life": "10m",
                "caches": {"analytics": "analytics:*"},
            },
        }
    )


def checks(report: Any) -> dict[str, Any]:
    return {check.id: check for check in report.checks}


@pytest.mark.parametrize(
    ("life", "status", "word"), [(86_400 - 60, "OK", "2 keys"), (86_400 - 3_600, "WARN", "1 in")]
)
def test_a_request_whose_worker_is_gone(
    owner: redis_py.Redis, settings: Settings, life: int, status: str, word: str
) -> None:
    owner.set("idempotency:a", "started", ex=life)
    owner.set("idempotency:b", "done", ex=60)
    found = checks(overview(settings, Deadline.after(5)))["redis.idempotency"]
    assert (found.status.value, word in found.summary) == (status, True), found.summary
    if status == "WARN":
        assert found.actions[-1].command == "payops circuit idempotency idempotency:a"


def test_a_key_that_never_expires_is_told(owner: redis_py.Redis, settings: Settings) -> None:
    owner.set("idempotency:a", "x")
    found = checks(overview(settings, Deadline.after(5)))["redis.idempotency"]
    assert (found.status.value, "1 of 1" in found.summary) == ("WARN", True)


def test_one_key_is_shown_without_its_secrets(owner: redis_py.Redis, settings: Settings) -> None:
    owner.set("idempotency:k", json.dumps({"client_secret": "pi_x_secret_y", "id": "pi_1"}), ex=90)
    for asked in ("k", "idempotency:k"):
        assert bare(settings, asked) == "k"
        found = checks(one_key(settings, asked, Deadline.after(5)))["redis.idempotency"]
        content = found.evidence[0].detail["content"]
        assert "pi_1" in content
        assert "secret_y" not in content
    absent = checks(one_key(settings, "none", Deadline.after(5)))["redis.idempotency"]
    assert "never used, or older than" in absent.summary


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain", "plain"),
        (pickle.dumps("f0dd-1", protocol=5), "f0dd-1"),
        (pickle.dumps([1], protocol=5), "(a pickle of"),
        (f"key {KEY}".encode(), "sk_live_…"),
        (b'{"a": [{"api_token": "t0ps3cret"}]}', "[masked]"),
        (b"\xff\x00", "\\xff"),
    ],
)
def test_what_a_key_holds(value: bytes, shown: str) -> None:
    told = masked(value)
    assert shown in told
    assert KEY not in told
    assert "t0ps3cret" not in told


def test_a_cache_is_cleared_key_by_key_while_it_holds_what_was_seen(
    owner: redis_py.Redis, settings: Settings, server: RedisServer
) -> None:
    owner.mset({"analytics:a": "cached totals", "analytics:b": "old", "other": "1"})
    plan = plan_remedy("clear-cache", settings, {}, command="payops x", now=NOW).plan
    assert [change.key["key"] for change in plan.changes] == ["analytics:a", "analytics:b"]
    assert "cached totals" not in str(plan)
    assert settings.redis is not None
    writer = RedisWriter(settings.redis, Deadline.after(10))
    try:
        check_redis(plan, settings, *writer.fingerprint())
        owner.set("analytics:b", "made anew")
        results = [writer.apply(change, lambda txid: None).result for change in plan.changes]
        assert results == [Result.DONE, Result.REFUSED]
        assert writer.apply(plan.changes[0], lambda txid: None).result is Result.ALREADY
    finally:
        writer.close()
    assert owner.get("analytics:a") is None
    assert (owner.get("analytics:b"), owner.get("other")) == (b"made anew", b"1")
    with pytest.raises(RefusedError, match="another Redis"):
        check_redis(plan, settings, "elsewhere", "db 0")


def test_no_other_cache_is_cleared(settings: Settings) -> None:
    with pytest.raises(UsageError, match="no such cache"):
        plan_remedy("clear-cache", settings, {"cache": "sessions"}, command="x", now=NOW)
