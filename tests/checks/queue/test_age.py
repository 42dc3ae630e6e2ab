"""How long has the oldest work been waiting?"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis

from checks.queue.queues import asking, facts, queue
from payops.checks.queue.age import CHECK
from payops.checks.queues import Limit
from payops.lab.servers.redis import RedisServer
from tools import assert_is, assert_ok, assert_skip, gathered, judged


@pytest.mark.parametrize(
    ("age", "own", "status"),
    [
        (300, None, "OK"),
        (300.1, None, "WARN"),
        (1800, None, "WARN"),
        (1800.1, None, "CRIT"),
        (10, 10, "OK"),
        (10.1, 10, "WARN"),
        (60, 10, "WARN"),
        (60.1, 10, "CRIT"),
        (4000, 9000, "OK"),
    ],
)
def test_limits(age: float, own: float | None, status: str) -> None:
    one = queue(3, "mail", "rq", oldest_s=age)
    result = judged(CHECK, facts(one, queue(0, "b", "rq"), mail=Limit(None, own)))
    assert_is(status, result, "the oldest in mail has waited")
    assert bool(result.actions) == (status != "OK")


def test_nothing_waits_or_nothing_tells() -> None:
    assert_ok(judged(CHECK, facts(queue(0))), "nothing waits")
    assert_skip(judged(CHECK, facts(queue(9))), "celery does not tell when its work was queued")


def test_real_ages(server: RedisServer, client: redis.Redis) -> None:
    past = time.time() - 600
    client.rpush("rq:queue:mail", "one", "two")
    moment = (datetime.now(UTC) - timedelta(seconds=600)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    client.hset("rq:job:one", "enqueued_at", moment)
    client.lpush("queue:old", json.dumps({"enqueued_at": past, "args": ["secret"]}), "{}")
    client.lpush("queue:old8", json.dumps({"enqueued_at": int(past * 1000)}))
    client.lpush("queue:junk", "not json", "[1]")
    client.lpush("bull:b:wait", "7", "8")
    client.hset("bull:b:7", "timestamp", str(int(past * 1000)))
    client.lpush("queue:later", json.dumps({"enqueued_at": time.time() + 900}))
    kinds = {name: {"kind": "sidekiq"} for name in ("old", "old8", "junk", "later")}
    with asking(server, mail={"kind": "rq"}, b={"kind": "bullmq"}, **kinds) as ctx:
        found = {one.name: one.oldest_s for one in gathered(CHECK, ctx).queues}
    for name in ("mail", "old8", "b"):
        assert found[name] == pytest.approx(600, abs=20), name
    assert found["old"] == pytest.approx(600, abs=20)
    assert found["junk"] is None
    assert found["later"] == 0
