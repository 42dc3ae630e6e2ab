"""The Redis source over a real Redis, and over servers that are not."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis as redis_py

from payops.errors import Failure, SourceError
from payops.lab.servers.redis import RedisServer
from payops.sources.redis import RedisSource, _facts
from payops.sources.redis_errors import Server, translate
from sources.conftest import redis_of
from sources.hanging import (
    Proxy,
    at_most,
    closing,
    dripping,
    free_port,
    repeating,
    resetting,
    saying,
    serving,
    silent,
)
from sources.test_http import certificate


@pytest.fixture
def owner(redis_server: RedisServer) -> Iterator[redis_py.Redis]:
    client = redis_py.Redis.from_url(redis_server.url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


def fails(source: RedisSource) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.strings(["a"])
    source.close()
    assert caught.value.source == "redis"
    assert caught.value.hint
    return caught.value


def test_facts(redis: RedisSource) -> None:
    facts = redis.facts()
    assert facts.role == "master"
    assert facts.version
    assert facts.link_up is None
    assert not facts.loading
    assert 0 < facts.latency_ms < 1000


def test_facts_of_a_replica_in_trouble_and_of_a_bare_server() -> None:
    facts = _facts(
        {"role": "slave", "master_link_status": "down", "rdb_last_bgsave_status": "err"}, 1.0
    )
    assert facts.link_up is False
    assert facts.rdb_last_bgsave_ok is False
    assert (facts.aof_last_write_ok, facts.maxmemory) == (None, None)


def test_strings_and_ttls(redis: RedisSource, owner: redis_py.Redis) -> None:
    owner.set("a", b"\x80\x04open")
    owner.set("b", "5", ex=100)
    owner.rpush("list", "x")
    assert redis.strings(["a", "b", "list", "none"]) == {
        "a": b"\x80\x04open",
        "b": b"5",
        "list": None,
        "none": None,
    }
    assert redis.types(["a", "list", "none"]) == {"a": "string", "list": "list", "none": "none"}
    assert redis.types([]) == {}
    ttls = redis.ttls(["a", "b", "none"])
    assert ttls["a"] is None
    assert ttls["none"] is None
    assert 90 <= (ttls["b"] or 0) <= 100
    assert redis.strings([]) == {}
    assert redis.ttls([]) == {}


def test_a_value_without_end_stays_where_it_is(redis: RedisSource, owner: redis_py.Redis) -> None:
    owner.set("long", "open" * 20_000)
    owner.set("short", "open")
    owner.config_resetstat()
    assert redis.strings(["long", "short"]) == {
        "long": b"(80000 bytes, too long to be read)",
        "short": b"open",
    }
    assert redis.strings(["long"]) == {"long": b"(80000 bytes, too long to be read)"}
    assert redis.answer("GET", "long") == b"(80000 bytes, too long to be read)"
    assert redis.answer("GET", "short") == b"open"
    assert owner.info("commandstats")["cmdstat_mget"]["calls"] == 1  # of the short one alone


def test_scan(redis: RedisSource, owner: redis_py.Redis) -> None:
    owner.mset({f"circuit_breaker:{i}:state": "open" for i in range(700)} | {"other": "x"})
    owner.set(b"circuit_breaker:\xff", "x")
    keys, complete = redis.scan("circuit_breaker:*", 1000)
    assert complete
    assert len(keys) == 701
    assert keys == sorted(set(keys))
    some, complete = redis.scan("circuit_breaker:*", 10)
    assert (len(some), complete) == (10, False)
    assert redis.scan("nothing*", 10) == ([], True)


def test_only_read_commands_are_sent(redis: RedisSource, owner: redis_py.Redis) -> None:
    owner.config_resetstat()
    redis.facts()
    redis.scan("*", 5)
    redis.now()
    redis.ttls(["a"])
    redis.strings(["a"])
    redis.types(["a"])
    sent = {name.removeprefix("cmdstat_") for name in owner.info("commandstats")}
    assert sent <= {"auth", "info", "scan", "time", "ttl", "type", "mget", "strlen", "config"} | {
        "config|resetstat"
    }


def test_now(redis: RedisSource) -> None:
    assert abs(redis.now() - datetime.now(UTC)) < timedelta(seconds=2)


def test_an_acl_user_with_little(redis_server: RedisServer, owner: redis_py.Redis) -> None:
    owner.acl_setuser(
        "watch", enabled=True, passwords=["+little-secret"], keys=["a*"], commands=["+mget"]
    )
    port = urlsplit(redis_server.url).port
    source = redis_of(f"redis://watch:little-secret@127.0.0.1:{port}/0")
    assert source.strings(["a"]) == {"a": None}
    with pytest.raises(SourceError) as caught:
        source.facts()
    assert caught.value.kind is Failure.PERMISSION
    assert not caught.value.does_not_answer
    assert "watch" in caught.value.hint
    assert source.strings(["a"]) == {"a": None}
    source.close()


@pytest.mark.parametrize("user", [":wrong-password@", "", "nobody:wrong-password@"])
def test_authentication(redis_server: RedisServer, user: str) -> None:
    port = urlsplit(redis_server.url).port
    error = fails(redis_of(f"redis://{user}127.0.0.1:{port}/0"))
    assert error.kind is Failure.AUTHENTICATION
    assert "wrong-password" not in str(error) + error.hint


def test_too_many_clients(redis_server: RedisServer, owner: redis_py.Redis) -> None:
    before = owner.config_get("maxclients")["maxclients"]
    owner.config_set("maxclients", len(owner.client_list()))
    try:
        assert fails(redis_of(redis_server.url)).kind is Failure.TOO_MANY_CONNECTIONS
    finally:
        owner.config_set("maxclients", before)


def test_busy_with_a_script(redis_server: RedisServer, owner: redis_py.Redis) -> None:
    limit = owner.config_get("lua-time-limit")["lua-time-limit"]
    owner.config_set("lua-time-limit", 20)
    url = urlsplit(redis_server.url)
    with socket.create_connection(("127.0.0.1", url.port or 0)) as raw:
        raw.sendall(f"AUTH {url.password}\r\n".encode())
        raw.recv(100)
        raw.sendall(b'EVAL "while true do end" 0\r\n')
        try:
            wait_until(lambda: busy(owner))
            error = fails(redis_of(redis_server.url, timeout=1))
        finally:
            owner.script_kill()
    wait_until(lambda: not busy(owner))
    owner.config_set("lua-time-limit", limit)
    assert error.kind is Failure.STARTING_UP


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        time.sleep(0.03)


def busy(client: redis_py.Redis) -> bool:
    try:
        return not client.ping()
    except redis_py.ResponseError:
        return True


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (silent, Failure.TIMED_OUT),
        (dripping(b"*1\r\n$900\r\n" + b"x" * 900), Failure.TIMED_OUT),
        (closing, Failure.CLOSED),
        (resetting, Failure.CLOSED),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Failure.BAD_ANSWER),
        (repeating(b"-LOADING Redis is loading the dataset in memory\r\n"), Failure.STARTING_UP),
        (repeating(b"-MASTERDOWN Link with MASTER is down\r\n"), Failure.STARTING_UP),
        (repeating(b"-NOAUTH Authentication required.\r\n"), Failure.AUTHENTICATION),
        (repeating(b"-WRONGPASS invalid username-password pair\r\n"), Failure.AUTHENTICATION),
        (repeating(b"-NOPERM this user has no permissions\r\n"), Failure.PERMISSION),
        (repeating(b"-ERR max number of clients reached\r\n"), Failure.TOO_MANY_CONNECTIONS),
        (repeating(b"-BUSY Redis is busy running a script\r\n"), Failure.STARTING_UP),
        (repeating(b"-MISCONF Errors writing to disk\r\n"), Failure.SERVER_ERROR),
        (repeating(b"-MOVED 3999 127.0.0.1:6381\r\n"), Failure.REJECTED),
        (repeating(b"-ERR unknown command 'MGET'\r\n"), Failure.REJECTED),
    ],
)
def test_servers_that_misbehave(behave: Any, kind: Failure) -> None:
    # What is not a matter of time is given time: the machine may have others to serve.
    timeout = 0.5 if kind is Failure.TIMED_OUT else 5
    with serving(behave) as port, at_most(timeout):
        source = redis_of(f"redis://127.0.0.1:{port}/0", timeout=timeout)
        with pytest.raises(SourceError) as caught:
            source.strings(["a"])
        source.close()
    assert caught.value.kind is kind, str(caught.value)


def test_a_server_that_hangs_between_two_questions(redis_server: RedisServer) -> None:
    url = urlsplit(redis_server.url)
    proxy = Proxy(url.port or 0)
    with serving(proxy) as port:
        source = redis_of(f"redis://:{url.password}@127.0.0.1:{port}/0", timeout=0.5)
        source.now()
        proxy.freeze()
        with at_most(0.5), pytest.raises(SourceError) as caught:
            source.now()
        assert caught.value.kind is Failure.TIMED_OUT
        proxy.thaw()
        source.now()  # on a new connection
        source.close()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://no-such-host.invalid:6379/0", Failure.DNS),
        ("redis://127.0.0.1:{free}/0", Failure.REFUSED),
        ("unix:///no/such/socket.sock", Failure.REFUSED),
        ("http://127.0.0.1:6379", Failure.REJECTED),
        ("redis://127.0.0.1:port/0", Failure.REJECTED),
    ],
)
def test_no_way_there(url: str, kind: Failure) -> None:
    with at_most(0.5):
        assert fails(redis_of(url.replace("{free}", str(free_port())))).kind is kind


def test_tls(tmp_path: Path) -> None:
    key, cert = certificate(tmp_path, names="IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def behave(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            secure.recv(100)
            secure.sendall(b"*1\r\n$4\r\nopen\r\n")

    with serving(behave) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        good = redis_of(url, ca=str(cert))
        assert good.strings(["a"]) == {"a": b"open"}
        good.close()
        wrong_name = fails(redis_of(url.replace("127.0.0.1", "localhost"), ca=str(cert)))
        assert wrong_name.kind is Failure.TLS
        assert "localhost" in wrong_name.message
        untrusted = fails(redis_of(url))
        assert untrusted.kind is Failure.TLS
        assert "ca_file" in untrusted.hint
    with serving(saying(b"-ERR unknown command\r\n")) as port:
        assert fails(redis_of(f"rediss://127.0.0.1:{port}/0")).kind is Failure.TLS


def test_the_deadline_is_over(redis_server: RedisServer) -> None:
    with at_most(0):
        assert fails(redis_of(redis_server.url, seconds=0)).kind is Failure.TIMED_OUT


def test_a_password_in_an_error_is_redacted() -> None:
    error = translate(redis_py.ResponseError("AUTH redis://u:s3cr3t-w0rd@h"), Server("redis://h:1"))
    assert "s3cr3t" not in error.message


@pytest.mark.parametrize(
    ("url", "cli"),
    [
        ("redis://cache", "redis-cli -h cache -p 6379"),
        ("redis://cache:6380/0", "redis-cli -h cache -p 6380"),
        ("redis://:s3cr3t@cache/2", "redis-cli -h cache -p 6379 --askpass -n 2"),
        (
            "rediss://u%40x:s3cr3t@cache/10",
            "redis-cli -h cache -p 6379 --tls --user u@x --askpass -n 10",
        ),
        ("unix:///run/redis.sock", "redis-cli -s /run/redis.sock"),
        ("redis://a b;rm", "redis-cli -h 'a b;rm' -p 6379"),
        ("redis://h:notaport", "redis-cli"),
    ],
)
def test_the_command_that_asks_by_hand(url: str, cli: str) -> None:
    assert Server(url).cli == cli
    error = translate(ConnectionRefusedError(), Server(url))
    assert error.by_hand == f"{cli} PING"
    assert "s3cr3t" not in error.by_hand
    assert translate(redis_py.AuthenticationError("WRONGPASS"), Server(url)).by_hand == ""
