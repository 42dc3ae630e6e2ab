"""Where a queue lies, and what its Redis may say."""

from __future__ import annotations

from typing import Any

import pytest
from redis.exceptions import ResponseError

from payops.config.queues import Queue
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.errors import NotConfiguredError, SourceError
from payops.lab.servers.redis import RedisServer
from payops.sources import Sources
from payops.sources.queues import states
from payops.sources.redis_errors import in_database
from sources.conftest import redis_of
from tools import settings


@pytest.mark.parametrize(
    ("url", "number", "expected"),
    [
        ("redis://h", 1, "redis://h/1"),
        ("redis://:p%40@h:6380/0", 2, "redis://:p%40@h:6380/2"),
        ("rediss://u:p@h/5?ssl_cert_reqs=none", 0, "rediss://u:p@h/0?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock?db=3", 1, "unix:///run/redis.sock?db=1"),
        ("redis://h/0?db=4&socket_timeout=1", 1, "redis://h/1?socket_timeout=1"),
        ("unix://:pw@/run/redis.sock", 1, "unix://:pw@/run/redis.sock?db=1"),
        ("unix:///run/redis.sock", 1, "unix:///run/redis.sock?db=1"),
    ],
)
def test_another_database_of_the_same_server(url: str, number: int, expected: str) -> None:
    assert in_database(Secret(url), number).reveal() == expected


def test_each_address_has_one_source() -> None:
    sources = Sources(settings(redis={"url": "redis://h:1/0"}), Deadline.after(5))
    plain, other = Queue(kind="celery"), Queue(kind="celery", database=1)
    assert sources.redis_of(plain) is sources.redis
    assert sources.redis_of(other) is sources.redis_of(other) is not sources.redis
    own = Queue(kind="rq", url=Secret("redis://h:1/1"))
    assert sources.redis_of(own) is sources.redis_of(other)
    sources.close()
    bare = Sources(settings(), Deadline.after(5))
    for queue in (plain, other):
        with pytest.raises(NotConfiguredError):
            bare.redis_of(queue)
    assert bare.redis_of(own) is not None


def test_a_queue_with_an_address_has_no_database_beside_it() -> None:
    with pytest.raises(ValueError, match="database"):
        Queue(kind="rq", url=Secret("redis://h"), database=1)


class Says:
    """A Redis that answers one list, whatever it is asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers

    def several(self, commands: Any) -> list[Any]:
        return list(self.answers[: len(commands)])


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (ResponseError("WRONGTYPE Operation against a key"), "something else than a queue"),
        (ResponseError("NOPERM this user has no permissions"), "may not be read by this user"),
        (ResponseError("odd"), "odd"),
    ],
)
def test_what_is_wrong_with_a_key(answer: Exception, problem: str) -> None:
    asked = [("q", Queue(kind="list"), Says(answer, [1_770_000_000, 0]))]
    (found,), _ = states(asked)  # type: ignore[arg-type]
    assert problem in found.problem


def test_commands_that_may_not_be_sent_are_no_end(redis_server: RedisServer) -> None:
    source = redis_of(redis_server.url)
    try:
        odd, clock = source.several([("LLEN",), ("TIME",)])
        assert isinstance(odd, ResponseError)
        assert len(clock) == 2
        assert source.setting("maxclients") == "200"
        assert source.setting("no-such-setting") is None
        assert source.several([]) == []
        assert source.state() is source.state()
    finally:
        source.close()
    dead = redis_of("redis://127.0.0.1:1/0")
    with pytest.raises(SourceError):
        dead.setting("save")
