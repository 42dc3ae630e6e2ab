"""Keys changed by compare-and-set on a real Redis, in every layout; put back by the inverse."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_py

from payops.config.sources import RedisSettings
from payops.domain.breaker import BreakerState
from payops.domain.deadline import Deadline
from payops.domain.layouts import layouts
from payops.domain.plan import Change
from payops.domain.plan_outcome import Result
from payops.domain.plan_redis import as_bytes, as_text, keys_of, planned, statement_of
from payops.domain.secret import Secret
from payops.lab.servers.redis import RedisServer
from payops.sources.breakers import BreakerFound, discover, read_breakers
from payops.sources.redis_writer import RedisWriter

OPENED = 1_760_000_000


@pytest.fixture
def owner(redis_server: RedisServer) -> Iterator[redis_py.Redis]:
    client = redis_py.Redis.from_url(redis_server.url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


@pytest.fixture
def writer(redis_server: RedisServer) -> Iterator[RedisWriter]:
    made = RedisWriter(RedisSettings(url=Secret(redis_server.url)), Deadline.after(30))
    yield made
    made.close()


def pickled(value: object) -> bytes:
    return pickle.dumps(value, protocol=5)


# What each program leaves of an open breaker: strings, or fields of a hash.
STORED: dict[str, dict[str, Any]] = {
    "split": {
        "circuit_breaker:s:state": b"open",
        "circuit_breaker:s:failures": b"7",
        "circuit_breaker:s:opened_at": str(OPENED).encode(),
    },
    "django": {
        ":1:circuit_breaker:s:state": pickled("open"),
        ":1:circuit_breaker:s:failures": b"7",
        ":1:circuit_breaker:s:opened_at": pickled(float(OPENED)),
    },
    "pybreaker": {
        "s:pybreaker:state": b"open",
        "s:pybreaker:fail_counter": b"5",
        "s:pybreaker:success_counter": b"0",
        "s:pybreaker:opened_at": str(OPENED).encode(),
    },
    "aiobreaker": {
        "s:aiobreaker:state": b"OPEN",
        "s:aiobreaker:fail_counter": b"5",
        "s:aiobreaker:opened_at": str(OPENED).encode(),
    },
    "purgatory": {
        "cbr::s": json.dumps(
            {"name": "s", "threshold": 5, "ttl": 30, "state": "opened", "opened_at": OPENED}
        ).encode(),
        "cbr::s::failure_count": b"5",
    },
    "gobreaker": {
        "gobreaker:state:s": b'{"state":2,"generation":3,"counts":{"ConsecutiveFailures":6},'
        b'"expiry":"2025-10-09T08:54:00.123456789Z"}'
    },
    "document": {"circuit_breaker:s": {"state": "open", "failures": "7", "opened_at": str(OPENED)}},
}


def store(owner: redis_py.Redis, layout: str) -> None:
    for key, value in STORED[layout].items():
        if isinstance(value, dict):
            owner.hset(key, mapping=value)
        else:
            owner.set(key, value, ex=300 if layout == "django" else None)


def found(writer: RedisWriter) -> BreakerFound:
    places, _ = discover(writer)
    (one,) = read_breakers(writer, places)
    return one


def change(one: BreakerFound, *, trip: bool = False) -> Change:
    layout = layouts()[one.layout]
    now = datetime.now(UTC)
    written = layout.opened(one.values, now, 600, 30) if trip else layout.closed(one.values)
    parts = {part: key for part, key in one.place.parts.items() if part not in layout.busy}
    before = {key: one.values[part] for part, key in parts.items()}
    after = {parts[part]: value for part, value in written.values.items() if part in parts}
    ttls = {key: one.ttls[part] for part, key in parts.items()}
    lasting = {parts["state"]: written.expires_s} if written.expires_s else {}
    seen, new = planned(before, ttls, after, lasting)
    made = Change("c", "circuit.reset", "s", {"breaker": "s"}, seen, new, "", "why")
    return replace(made, statement=statement_of(made))


def inverse(of: Change, now: Any) -> Change:
    made = replace(
        of,
        before={name: now[name] for name in of.before},
        after={name: of.before[name] for name in of.after},
    )
    return replace(made, statement=statement_of(made))


def dump(owner: redis_py.Redis) -> dict[bytes, Any]:
    keys = sorted(owner.keys())
    return {
        key: owner.hgetall(key) if owner.type(key) == b"hash" else owner.get(key) for key in keys
    }


@pytest.mark.parametrize("layout", sorted(layouts()))
def test_closed_again_and_back(owner: redis_py.Redis, writer: RedisWriter, layout: str) -> None:
    store(owner, layout)
    before = dump(owner)
    one = found(writer)
    assert one.stored.state is BreakerState.OPEN
    wanted = change(one)
    said: list[int] = []
    assert writer.apply(wanted, said.append, dry_run=True).result is Result.WOULD
    assert dump(owner) == before
    assert not said
    done = writer.apply(wanted, said.append)
    assert done.result is Result.DONE
    assert said == [0]
    left = read_breakers(writer, [(one.layout, one.place)])[0]
    assert left.stored.state is BreakerState.CLOSED
    assert not left.stored.failures
    assert writer.apply(wanted, said.append).result is Result.ALREADY
    back = writer.apply(inverse(wanted, done.now), said.append)
    assert back.result is Result.DONE, back.why
    assert dump(owner) == before
    if layout == "django":
        assert 290 < owner.ttl(":1:circuit_breaker:s:state") <= 300


@pytest.mark.parametrize("layout", sorted(layouts()))
def test_forced_open(owner: redis_py.Redis, writer: RedisWriter, layout: str) -> None:
    store(owner, layout)
    writer.apply(change(found(writer)), lambda txid: None)
    if layout in {"split", "django"}:  # nothing is left to be found
        store(owner, layout)
    one = found(writer)
    outcome = writer.apply(change(one, trip=True), lambda txid: None)
    assert outcome.result in {Result.DONE, Result.ALREADY}, outcome.why
    assert found(writer).stored.state is BreakerState.OPEN


def test_what_was_changed_since_is_left_alone(owner: redis_py.Redis, writer: RedisWriter) -> None:
    store(owner, "split")
    wanted = change(found(writer))
    owner.incr("circuit_breaker:s:failures")
    before = dump(owner)
    refused = writer.apply(wanted, lambda txid: None)
    assert refused.result is Result.REFUSED
    assert "is '8', was '7'" in refused.why
    assert dump(owner) == before


def test_what_changes_in_that_very_moment_is_left_alone(
    owner: redis_py.Redis, writer: RedisWriter
) -> None:
    store(owner, "split")
    wanted = change(found(writer))
    refused = writer.apply(wanted, lambda txid: owner.incr("circuit_breaker:s:failures"))
    assert refused.result is Result.REFUSED
    assert "in this very moment" in refused.why
    assert owner.get("circuit_breaker:s:state") == b"open"


def test_an_edited_statement_is_refused(owner: redis_py.Redis, writer: RedisWriter) -> None:
    store(owner, "split")
    wanted = replace(change(found(writer)), statement="DEL everything")
    assert writer.apply(wanted, lambda txid: None).result is Result.REFUSED


def test_two_at_once_do_it_once(owner: redis_py.Redis, writer: RedisWriter) -> None:
    store(owner, "pybreaker")
    wanted = change(found(writer))
    results: list[Result] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(writer.apply(wanted, lambda txid: None).result)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results.count(Result.DONE) == 1
    assert set(results) <= {Result.DONE, Result.ALREADY, Result.REFUSED}


def test_a_key_of_another_kind_is_refused(owner: redis_py.Redis, writer: RedisWriter) -> None:
    from payops.errors import RefusedError

    store(owner, "split")
    wanted = change(found(writer))
    owner.delete("circuit_breaker:s:state")
    owner.rpush("circuit_breaker:s:state", "open")
    with pytest.raises(RefusedError, match="is a list"):
        writer.apply(wanted, lambda txid: None)


@pytest.mark.parametrize("value", [b"open", b"", b"0x41", b"\x80\x05\x88.", "é\n".encode(), None])
def test_a_value_comes_back(value: bytes | None) -> None:
    assert as_bytes(as_text(value)) == value


def test_lives_are_no_keys() -> None:
    seen, new = planned({"a": b"1", "b": None}, {"a": 5, "b": None}, {"a": None}, {})
    assert seen == {"a": "1", "b": None, "a expires in s": "5"}
    assert new == {"a": None, "a expires in s": None}
    assert keys_of(seen) == ("a", "b")


def test_another_database_is_another(redis_server: RedisServer, writer: RedisWriter) -> None:
    other = RedisWriter(RedisSettings(url=Secret(redis_server.url + "/3")), Deadline.after(5))
    try:
        assert other.fingerprint() != writer.fingerprint()
        assert writer.fingerprint() == writer.fingerprint()
    finally:
        other.close()
