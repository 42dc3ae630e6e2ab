"""urllib3 connections that another thread can cut off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = threading.local()


class Watch:
    """Knows the connection that one exchange uses, so that it can be cut off from outside."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None

    @contextmanager
    def this_thread(self) -> Iterator[None]:
        """Connections that this thread opens or uses meanwhile are ours."""
        _current.watch = self
        try:
            yield
        finally:
            _current.watch = None

    @property
    def connected(self) -> bool:
        """Whether TCP was up: tells 'cannot connect' from 'connected, but no answer'."""
        return getattr(self._connection, "sock", None) is not None

    def uses(self, connection: HTTPConnection) -> None:
        """Called by the connection itself."""
        self._connection = connection

    def cut(self) -> None:
        """Shut the socket, below TLS; whoever reads or writes it gets an error at once."""
        sock = getattr(self._connection, "sock", None)
        if isinstance(sock, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    def connect(self) -> None:
        self._tell()
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._tell()
        super().request(*args, **kwargs)

    def _tell(self) -> None:
        watch: Watch | None = getattr(_current, "watch", None)
        if watch is not None:
            watch.uses(self)


class WatchedHTTPConnection(_Watched):
    """http://"""


class WatchedHTTPSConnection(_Watched, HTTPSConnection):
    """https://"""


class WatchedHTTPPool(HTTPConnectionPool):
    """http:// connections to one host."""

    ConnectionCls = WatchedHTTPConnection


class WatchedHTTPSPool(HTTPSConnectionPool):
    """https:// connections to one host."""

    ConnectionCls = WatchedHTTPSConnection


def watch_pools(manager: PoolManager) -> PoolManager:
    """Make `manager` use watched connections."""
    manager.pool_classes_by_scheme = {"http": WatchedHTTPPool, "https": WatchedHTTPSPool}
    return manager
