"""Servers that misbehave on a raw socket, and a proxy that stops in the middle of an answer."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import steady

Behaviour = Callable[[socket.socket], None]


def silent(peer: socket.socket) -> None:
    """Accepts, reads, never answers."""
    while peer.recv(4096):
        pass


def closing(peer: socket.socket) -> None:
    """Reads a little and hangs up."""
    peer.recv(4096)


def resetting(peer: socket.socket) -> None:
    """Reads a little and sends RST."""
    peer.recv(4096)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def saying(answer: bytes) -> Behaviour:
    """Says the same to every request, and hangs up."""

    def behave(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.sendall(answer)
        peer.shutdown(socket.SHUT_WR)
        silent(peer)  # closed with bytes unread it would send RST

    return behave


def repeating(answer: bytes) -> Behaviour:
    """Says the same to every request, and stays: who asks in two parts is answered twice."""

    def behave(peer: socket.socket) -> None:
        while peer.recv(4096):
            peer.sendall(answer)

    return behave


def dripping(answer: bytes) -> Behaviour:
    """A byte every tenth of a second: no single `recv` ever times out."""

    def behave(peer: socket.socket) -> None:
        peer.recv(4096)
        for byte in answer:
            peer.sendall(bytes([byte]))
            time.sleep(0.1)

    return behave


@contextlib.contextmanager
def serving(behave: Behaviour) -> Iterator[int]:
    """The port of a server on loopback that behaves so towards everyone."""
    listener = socket.create_server(("127.0.0.1", 0))
    peers: list[socket.socket] = []

    def one(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            behave(peer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                peers.append(peer)
                threading.Thread(target=one, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        _shut(listener, *peers)
        thread.join(2)


class Proxy:
    """Forwards to a port until it is frozen: then bytes arrive no more, either way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._flows = threading.Event()
        self._flows.set()

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def __call__(self, peer: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            back = threading.Thread(target=self._forward, args=(server, peer), daemon=True)
            back.start()
            self._forward(peer, server)
            _shut(server)

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := one.recv(65536):
                self._flows.wait()
                other.sendall(chunk)


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """The block ends within `seconds`, and not when the other side pleases.

    The grace is for a machine that stands still for a moment, as loaded ones do; that a whole run
    keeps to its deadline and half a second is tested where nothing else runs (tests/cli).
    """
    with steady.at_most(seconds + 3):
        yield
