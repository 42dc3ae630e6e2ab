"""How much work waits for a worker?"""

from __future__ import annotations

from typing import Any

import pytest
import redis

from checks.queue.queues import asking, facts, queue
from payops.checks.queue.depth import CHECK
from payops.checks.queues import Limit
from payops.errors import NotConfiguredError, SourceError
from payops.lab.servers.redis import RedisServer
from tools import assert_crit, assert_is, assert_ok, assert_unknown, fake_context, gathered, judged


@pytest.mark.parametrize(
    ("waiting", "own", "status"),
    [
        (0, None, "OK"),
        (1000, None, "OK"),
        (1001, None, "WARN"),
        (10_000, None, "WARN"),
        (10_001, None, "CRIT"),
        (100, 100, "OK"),
        (101, 100, "WARN"),
        (1000, 100, "WARN"),
        (1001, 100, "CRIT"),
        (1, 0, "CRIT"),
        (50_000, 100_000, "OK"),
    ],
)
def test_limits(waiting: int, own: int | None, status: str) -> None:
    result = judged(CHECK, facts(queue(waiting), celery=Limit(own)))
    assert_is(status, result, f"{waiting:,} wait in celery")
    assert bool(result.actions) == bool(result.evidence) == (status != "OK")


def test_the_worst_is_told_and_the_others_left_out() -> None:
    found = facts(queue(5), queue(99_999, "mail\x1b", "list"), queue(3, "x", "rq", failed=7))
    result = judged(CHECK, found)
    assert_crit(result, "99,999 wait in mail\\x1b")
    assert "celery" not in result.summary
    assert_ok(judged(CHECK, found, waiting={"warn": None, "crit": None}), "5 wait in celery")


def test_a_paused_one_and_one_that_cannot_be_read() -> None:
    assert_is("WARN", judged(CHECK, facts(queue(1, "b", "bullmq", paused=True))), "is paused")
    assert_ok(judged(CHECK, facts(queue(0, "b", "bullmq", paused=True))))
    broken = queue(name="odd", kind="list", problem="the key holds something else")
    assert_unknown(judged(CHECK, facts(broken, queue(2))), "queue odd: the key holds", "2 wait in")
    assert_crit(judged(CHECK, facts(broken, queue(99_999))))


def test_real_queues_of_every_kind(server: RedisServer, client: redis.Redis) -> None:
    for suffix in ("", "\x06\x163", "\x06\x169"):
        client.rpush(f"celery{suffix}", "{}", "{}")
    client.rpush("rq:queue:default", "a")
    client.lpush("queue:critical", "{}", "{}", "{}")
    client.lpush("bull:mail:wait", "1", "2")
    client.zadd("bull:mail:prioritized", {"3": 1})
    client.rpush("plain", "x")
    client.set("odd", "no list")
    with redis.Redis.from_url(server.url.removesuffix("/0") + "/1") as other:
        other.rpush("celery", "{}")
    kinds: dict[str, dict[str, Any]] = {
        "celery": {"kind": "celery"},
        "default": {"kind": "rq"},
        "critical": {"kind": "sidekiq"},
        "mail": {"kind": "bullmq"},
        "list": {"kind": "list", "key": "plain"},
        "other": {"kind": "celery", "key": "celery", "database": 1},
        "url": {"kind": "celery", "key": "celery", "url": server.url.removesuffix("/0") + "/1"},
        "odd": {"kind": "list"},
        "none": {"kind": "rq"},
    }
    with asking(server, **kinds) as ctx:
        found = gathered(CHECK, ctx)
    waiting = {one.name: one.waiting for one in found.queues if not one.problem}
    assert waiting == {
        "celery": 6, "default": 1, "critical": 3, "mail": 3, "list": 1, "other": 1, "url": 1,
        "none": 0,
    }  # fmt: skip
    assert_unknown(judged(CHECK, found), "queue odd: the key holds something else")


def test_none_is_configured_and_none_answers() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
    dead = RedisServerAt("redis://127.0.0.1:1/0")
    with asking(dead, q={"kind": "list"}) as ctx, pytest.raises(SourceError):  # type: ignore[arg-type]
        gathered(CHECK, ctx)


class RedisServerAt:
    """An address where nobody listens."""

    def __init__(self, url: str) -> None:
        self.url = url
