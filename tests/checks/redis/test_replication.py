"""Is a Redis replica connected, and near its master?"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis

from checks.redis.conftest import Ask
from payops.checks.redis.replication import CHECK, Facts
from payops.lab.servers.redis import RedisServer
from payops.sources.redis import Follower
from sources.conftest import redis_of
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
)

MIB = 1024**2


@pytest.mark.parametrize(
    ("behind", "status"),
    [(0, "OK"), (MIB, "OK"), (MIB + 1, "WARN"), (64 * MIB, "WARN"), (64 * MIB + 1, "CRIT")],
)
def test_limits(behind: int, status: str) -> None:
    followers = (Follower("10.0.0.2:6379", True, behind), Follower("10.0.0.3:6379", True, 0))
    result = judged(CHECK, Facts(NOW, None, None, followers))
    assert_is(status, result, f"2 replicas, at most {behind:,} bytes behind")
    assert bool(result.evidence) == (status != "OK")


def test_a_replica_cut_off() -> None:
    assert_crit(judged(CHECK, Facts(NOW, False, 120, ())), "cut off from its master for 2 min")
    assert_crit(judged(CHECK, Facts(NOW, False, None, ())), "cut off from its master")
    assert_ok(judged(CHECK, Facts(NOW, True, None, ())), "connected to its master")


def test_a_replica_that_is_not_in_step() -> None:
    result = judged(CHECK, Facts(NOW, None, None, (Follower("\x1b:1", False, 0),)))
    assert_warn(result, "1 of 1 replicas not in step")
    assert "\x1b" not in result.evidence[0].what


def test_a_real_pair(ctx: Ask, server: RedisServer, client: redis.Redis, tmp_path: Path) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "no replica")
    follower = RedisServer(tmp_path)
    follower.start()
    source = redis_of(follower.url)
    try:
        with redis.Redis.from_url(follower.url) as other:
            password = server.url.partition(":")[2].partition(":")[2].partition("@")[0]
            other.config_set("masterauth", password)
            other.replicaof("127.0.0.1", str(server.port))
            for _ in range(400):
                found = gathered(CHECK, ctx())
                if (
                    found.replicas
                    and found.replicas[0].online
                    and other.info()["master_link_status"] == "up"
                ):
                    break
                time.sleep(0.02)
            assert_ok(judged(CHECK, found), "1 replica, at most")
            assert_ok(judged(CHECK, gathered(CHECK, fake_context(redis=source))), "connected")
            other.replicaof("127.0.0.1", "1")
            lost = redis_of(follower.url)
            assert_crit(judged(CHECK, gathered(CHECK, fake_context(redis=lost))), "cut off")
            lost.close()
    finally:
        source.close()
        follower.stop()
