"""A real Redis for the checks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from payops.checks.contract import Context
from payops.lab.servers.redis import RedisServer
from payops.sources.redis import RedisFacts, RedisSource
from sources.conftest import redis_of
from tools import NOW, fake_context, settings


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path_factory.mktemp("redis"))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """The server, empty; whatever a test sets is as before after it."""
    names = ("maxmemory", "maxmemory-policy", "appendonly", "save")
    with redis.Redis.from_url(server.url, decode_responses=True) as found:
        found.flushall()
        before = {name: found.config_get(name)[name] for name in names}
        yield found
        for name, value in before.items():
            found.config_set(name, value)
        found.flushall()


Ask = Callable[..., Context]

PAYMENT_KEYS = {
    "trace": {"idempotency": {"key": "idem:{key}", "ttl": "24h"}},
    "webhooks": {"dedupe": {"key": "seen[1]:{event}"}},
}


@pytest.fixture
def ctx(server: RedisServer) -> Iterator[Ask]:
    """`ctx()` is a context over the real server, of a new run."""
    opened: list[RedisSource] = []

    def make(**sections: Any) -> Context:
        source = redis_of(server.url)
        opened.append(source)
        return fake_context(settings(**sections), redis=source)

    yield make
    for source in opened:
        source.close()


def told(**given: Any) -> RedisFacts:
    """A healthy master's INFO."""
    return RedisFacts(
        **{
            "version": "7.2.4",
            "role": "master",
            "used_memory": 1,
            "maxmemory": 0,
            "maxmemory_policy": "noeviction",
            "evicted_keys": 0,
            "rejected_connections": 0,
            "connected_clients": 1,
            "uptime_s": 7200,
            "loading": False,
            "rdb_last_bgsave_ok": True,
            "aof_last_write_ok": True,
            "link_up": None,
            "latency_ms": 0.5,
            "as_of": NOW,
            **given,
        }
    )
