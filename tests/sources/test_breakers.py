"""Breakers as their own libraries write them to a real Redis, read without a word written."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis as redis_py

from payops.domain.breaker import BreakerState
from payops.domain.layouts import Place, layouts
from payops.lab.servers.redis import RedisServer
from payops.sources.breakers import BreakerFound, discover, read_breakers
from payops.sources.redis import RedisSource
from sources.conftest import redis_of

CLOSED, OPEN, HALF = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


@pytest.fixture
def owner(redis_server: RedisServer) -> Iterator[redis_py.Redis]:
    client = redis_py.Redis.from_url(redis_server.url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


@pytest.fixture
def source(redis_server: RedisServer) -> Iterator[RedisSource]:
    made = redis_of(redis_server.url)
    yield made
    made.close()


def only(source: RedisSource, layout: str) -> BreakerFound:
    places, complete = discover(source)
    assert complete
    assert [one for one, _ in places] == [layout]
    (found,) = read_breakers(source, places)
    return found


def fails() -> None:
    raise RuntimeError("no answer")


def test_pybreaker(owner: redis_py.Redis, source: RedisSource) -> None:
    pybreaker = pytest.importorskip("pybreaker")
    storage = pybreaker.CircuitRedisStorage(pybreaker.STATE_CLOSED, owner, namespace="shop")
    breaker = pybreaker.CircuitBreaker(fail_max=3, reset_timeout=60, state_storage=storage)
    found = only(source, "pybreaker")
    assert (found.stored.state, found.stored.failures) == (CLOSED, 0)
    for _ in range(3):
        with pytest.raises((RuntimeError, pybreaker.CircuitBreakerError)):
            breaker.call(fails)
    found = only(source, "pybreaker")
    assert (found.place.name, found.stored.state, found.stored.failures) == ("shop", OPEN, 3)
    assert found.stored.opened_at
    assert abs(found.stored.opened_at - datetime.now(UTC)) < timedelta(seconds=5)
    breaker.half_open()
    assert only(source, "pybreaker").stored.state is HALF


def test_aiobreaker(owner: redis_py.Redis, source: RedisSource) -> None:
    aiobreaker = pytest.importorskip("aiobreaker")
    storage = pytest.importorskip("aiobreaker.storage.redis")
    state = aiobreaker.CircuitBreakerState
    kept = storage.CircuitRedisStorage(state.CLOSED, owner)
    breaker = aiobreaker.CircuitBreaker(fail_max=2, state_storage=kept)
    assert only(source, "aiobreaker").stored.state is CLOSED
    for _ in range(2):
        with pytest.raises((RuntimeError, aiobreaker.CircuitBreakerError)):
            breaker.call(fails)
    found = only(source, "aiobreaker")
    assert (found.stored.state, found.stored.failures) == (OPEN, 2)
    assert found.stored.opened_at
    breaker.half_open()
    assert only(source, "aiobreaker").stored.state is HALF


def test_purgatory(owner: redis_py.Redis, source: RedisSource, redis_server: RedisServer) -> None:
    repository = pytest.importorskip("purgatory.service._sync.repository")
    model = pytest.importorskip("purgatory.domain.model")
    kept = repository.SyncRedisRepository(redis_server.url)
    kept.register(model.Context("stripe", threshold=5, ttl=30))
    found = only(source, "purgatory")
    assert (found.stored.state, found.stored.threshold, found.stored.recovery_s) == (CLOSED, 5, 30)
    for _ in range(5):
        kept.inc_failures("stripe", 1)
    opened = datetime.now(UTC)
    kept.update_state("stripe", "opened", opened.timestamp())
    found = only(source, "purgatory")
    assert (found.stored.state, found.stored.failures) == (OPEN, 5)
    assert found.stored.opened_at == opened
    kept.update_state("stripe", "half-opened", None)
    assert only(source, "purgatory").stored.state is HALF
    kept.redis.close()


@pytest.mark.parametrize("as_hash", [True, False])
def test_one_document(owner: redis_py.Redis, source: RedisSource, as_hash: bool) -> None:
    if as_hash:
        fields = {"state": "open", "failures": "7", "opened_at": "1760000000"}
        owner.hset("circuit_breaker:stripe", mapping=fields)
    else:
        written = '{"state": "open", "failures": 7, "opened_at": 1760000000}'
        owner.set("circuit_breaker:stripe", written, ex=300)
    found = only(source, "document")
    assert (found.stored.state, found.stored.failures) == (OPEN, 7)
    assert found.stored.opened_at == datetime.fromtimestamp(1760000000, UTC)
    assert found.kinds["state"] == ("hash" if as_hash else "string")
    assert (found.ttls["state"] is None) == as_hash


def test_all_at_once_and_each_its_own(owner: redis_py.Redis, source: RedisSource) -> None:
    owner.mset(
        {
            "circuit_breaker:stripe:state": "OPEN",
            "circuit_breaker:stripe:failure_count": 6,
            ":1:circuit_breaker:stripe:state": pickle.dumps("open", protocol=5),
            ":1:circuit_breaker:stripe:opened_at": pickle.dumps(1760000000.5, protocol=5),
            "gobreaker:state:stripe": '{"state":2,"generation":1,"counts":{},"expiry":""}',
            "gobreaker:mutex:stripe": "1",
            "pybreaker:state": "closed",
            "circuit_of_friends": "x",
        }
    )
    owner.rpush("circuit_breaker:list:state", "open")
    places, complete = discover(source)
    found = {(one.layout, one.place.name): one for one in read_breakers(source, places)}
    assert complete
    assert {key: one.stored.state for key, one in found.items()} == {
        ("split", "stripe"): OPEN,
        ("split", "list"): None,
        ("django", "stripe"): OPEN,
        ("gobreaker", "stripe"): OPEN,
        ("pybreaker", "pybreaker"): CLOSED,
    }
    assert found["split", "stripe"].stored.failures == 6
    assert found["gobreaker", "stripe"].busy
    assert found["split", "list"].stored.raw_state == "(a list, not text)"


def test_reading_writes_nothing(owner: redis_py.Redis, source: RedisSource) -> None:
    owner.set("circuit_breaker:stripe:state", "open")
    owner.hset("circuit_breaker:paypal", "state", "open")
    with owner.monitor() as monitor:
        places, _ = discover(source)
        read_breakers(source, (*places, ("pybreaker", Place("p", _parts("pybreaker")))))
        owner.echo("over")
        said = []
        for command in monitor.listen():
            said.append(command["command"].split()[0].upper())
            if said[-1] == "ECHO":
                break
    own = {"HELLO", "ECHO"}  # this test's client
    asks = {"AUTH", "SELECT", "SCAN", "STRLEN", "MGET", "TYPE", "HSCAN", "TTL", "TIME"}
    assert set(said) <= own | asks
    assert {"SCAN", "MGET", "HSCAN"} <= set(said)


def _parts(layout: str) -> dict[str, str]:
    parts = layouts()[layout].parts
    assert parts is not None
    return dict(parts("p", "p"))
