"""Connections to the lab's Redis that somebody opened and never closes: a process holds them."""

from __future__ import annotations

import select
import socket
from urllib.parse import unquote, urlsplit

from payops.lab import background
from payops.lab.scenario import Lab


def leak(lab: Lab, name: str, count: int) -> None:
    """`count` connections that call themselves `name`; they are open when this returns."""
    parts = urlsplit(lab.info.redis_url)
    told = {
        "host": parts.hostname,
        "port": parts.port,
        "password": unquote(parts.password or ""),
        "name": name,
        "count": count,
    }
    background.start(lab, __name__, told, lambda: _open(lab, name) >= count)


def _open(lab: Lab, name: str) -> int:
    return sum(one["name"] == name for one in lab.redis.client_list())


def _main() -> None:
    """Open what was told, and stay until one of them is closed by Redis."""
    told = background.told()
    greeting = _command("AUTH", told["password"]) + _command("CLIENT", "SETNAME", told["name"])
    kept = []
    for _ in range(told["count"]):
        one = socket.create_connection((told["host"], told["port"]), timeout=5)
        one.sendall(greeting)
        answer = b""
        while answer.count(b"\r\n") < 2 and (more := one.recv(200)):
            answer += more
        if answer != b"+OK\r\n" * 2:
            raise SystemExit(f"Redis answers {answer!r}")
        kept.append(one)
    # Redis says nothing to a client that asks nothing, until it closes the connection.
    select.select(kept, [], [])


def _command(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    lines = [b"*%d" % len(parts)]
    for part in parts:
        lines += [b"$%d" % len(part), part]
    return b"\r\n".join(lines) + b"\r\n"


if __name__ == "__main__":
    _main()
