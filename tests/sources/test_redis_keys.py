"""Dedupe keys: read exactly, and deleted only while they are the ones that were seen."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis as client_library

from payops.config.section import Duration
from payops.config.sources import RedisSettings
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.errors import Failure, SourceError
from payops.lab.servers.redis import RedisServer
from payops.sources.redis_keys import OTHER, EventKeys, Mark

KEY = ":1:stripe_event:evt_1"


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[client_library.Redis]:
    made = client_library.Redis.from_url(redis_server.url)
    made.flushall()
    yield made
    made.close()


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[EventKeys]:
    made = EventKeys(
        RedisSettings(url=Secret(redis_server.url), timeout=Duration(2)), Deadline.after(20)
    )
    yield made
    made.close()


def seen(keys: EventKeys, key: str = KEY) -> Mark:
    mark = keys.marks([key])[key]
    assert mark is not None
    return mark


def test_a_mark_says_when_it_expires_and_nothing_of_its_value(
    keys: EventKeys, client: client_library.Redis
) -> None:
    client.set(KEY, b"\x80\x05\x88.", ex=3600)
    client.set("forever", "1")
    found = keys.marks([KEY, "forever", "nothing"])
    mark, forever = found[KEY], found["forever"]
    assert mark is not None
    assert mark.expires_ms is not None
    assert abs(mark.expires_ms - (time.time() + 3600) * 1000) < 5000
    assert len(mark.value) == 16
    assert forever is not None
    assert forever.expires_ms is None
    assert found["nothing"] is None


def test_it_is_the_same_key_however_late_it_is_looked_at(
    keys: EventKeys, client: client_library.Redis
) -> None:
    client.set(KEY, "1", ex=3600)
    first = seen(keys)
    time.sleep(0.3)
    assert first.same_as(seen(keys))
    client.set(KEY, "1", ex=3600)
    assert not first.same_as(seen(keys))


def test_cleared_while_it_is_the_one_that_was_seen(
    keys: EventKeys, client: client_library.Redis
) -> None:
    client.set(KEY, "1", ex=3600)
    assert keys.clear(KEY, seen(keys))
    assert client.get(KEY) is None
    assert not keys.clear(KEY, Mark("0" * 16, 1))


@pytest.mark.parametrize("change", ["later", "value", "persist", "gone", "list"])
def test_never_cleared_when_it_is_another(
    keys: EventKeys, client: client_library.Redis, change: str
) -> None:
    client.set(KEY, "1", ex=3600)
    mark = seen(keys)
    match change:
        case "later":
            client.expire(KEY, 3602)
        case "value":
            client.set(KEY, "2", keepttl=True)
        case "persist":
            client.persist(KEY)
        case "gone":
            client.delete(KEY)
        case "list":
            client.delete(KEY)
            client.rpush(KEY, "1")
    before = client.type(KEY)
    assert not keys.clear(KEY, mark)
    assert client.type(KEY) == before


def test_what_never_expires_is_not_cleared(keys: EventKeys, client: client_library.Redis) -> None:
    client.set(KEY, "1")
    assert not keys.clear(KEY, seen(keys))
    assert client.get(KEY) == b"1"


def test_many_at_once_and_the_length_of_a_queue(
    keys: EventKeys, client: client_library.Redis
) -> None:
    names = [f"k{n}" for n in range(1200)]
    for name in names[::2]:
        client.set(name, "1", ex=60)
    found = keys.marks(names)
    assert [name for name in names if found[name] is not None] == names[::2]
    client.rpush("celery", *"abc")
    assert keys.length("celery") == 3
    assert keys.length("nothing") == 0


def test_who_may_not_delete_is_told(
    redis_server: RedisServer, client: client_library.Redis
) -> None:
    client.set(KEY, "1", ex=60)
    client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+time",
                           "+multi", "+exec")  # fmt: skip
    url = f"redis://reader:pw@{redis_server.url.rpartition('@')[2].removeprefix('redis://')}"
    keys = EventKeys(RedisSettings(url=Secret(url), timeout=Duration(2)), Deadline.after(20))
    try:
        mark = seen(keys)
        with pytest.raises(SourceError) as raised:
            keys.clear(KEY, mark)
    finally:
        keys.close()
    assert raised.value.kind is Failure.PERMISSION
    assert client.get(KEY) == b"1"


def test_a_key_that_is_no_string_hides_no_other_and_is_never_cleared(
    keys: EventKeys, client: client_library.Redis
) -> None:
    client.hset("set", "a", "b")
    client.expire("set", 3600)
    client.set(KEY, "1", ex=3600)
    found = keys.marks(["set", KEY])
    mark = found["set"]
    assert mark is not None
    assert (mark.value, mark.expires_ms is not None) == (OTHER, True)
    assert seen(keys).same_as(found[KEY] or mark)
    assert not keys.clear("set", mark)
    assert client.exists("set")
