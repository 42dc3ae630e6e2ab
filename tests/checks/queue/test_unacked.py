"""Did workers take work and not finish it?"""

from __future__ import annotations

import time

import pytest
import redis

from checks.queue.queues import asking, facts, queue
from payops.checks.queue.unacked import CHECK
from payops.lab.servers.redis import RedisServer
from tools import assert_is, assert_ok, assert_skip, gathered, judged


@pytest.mark.parametrize(
    ("age", "status"),
    [(0, "OK"), (4200, "OK"), (4200.1, "WARN"), (900_000, "WARN")],
)
def test_limits(age: float, status: str) -> None:
    found = facts(queue(0, taken=3, taken_s=age), queue(0, "b", "bullmq", taken=1))
    result = judged(CHECK, found)
    assert_is(status, result, "workers hold 3 of celery, the oldest for")
    assert bool(result.actions) == (status != "OK")
    assert_is("CRIT" if age else "OK", judged(CHECK, found, age={"warn": 0, "crit": 0.1}))


def test_nothing_is_taken_or_nothing_tells() -> None:
    assert_ok(judged(CHECK, facts(queue(taken=0))), "workers hold nothing")
    assert_skip(judged(CHECK, facts(queue(kind="list"))), "no queue here tells")


def test_real_ones(server: RedisServer, client: redis.Redis) -> None:
    client.hset("unacked", mapping={"tag1": "[]", "tag2": "[]"})
    client.zadd("unacked_index", {"tag1": time.time() - 5000, "tag2": time.time()})
    client.zadd("rq:wip:mail", {"job": time.time()})
    client.lpush("bull:b:active", "9")
    client.hset("bull:b:9", "processedOn", str(int((time.time() - 100) * 1000)))
    kinds = {"celery": {"kind": "celery"}, "mail": {"kind": "rq"}, "b": {"kind": "bullmq"}}
    with asking(server, **kinds) as ctx:
        found = gathered(CHECK, ctx)
    taken = {one.name: one.taken for one in found.queues}
    assert taken == {"celery": 2, "mail": 1, "b": 1}
    ages = {one.name: one.taken_s for one in found.queues}
    assert ages["b"] == pytest.approx(100, abs=20)
    assert_is("WARN", judged(CHECK, found), "workers hold 2 of celery, the oldest for 1 h 23 min")
