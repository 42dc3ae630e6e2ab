"""A listening port on 127.0.0.1 that can be closed and opened again; one thread a request."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from email.message import Message
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from payops.lab.merchant.answer import Answer

log = logging.getLogger(__name__)

Handle = Callable[[str, str, Message, bytes], Answer]
"""(method, path, headers, body) -> answer."""
LARGEST_BODY = 1 << 20
# A client that sends nothing for so long is given up.
READ_TIMEOUT_S = 20
_POLL_S = 0.05


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Closing the door leaves the requests inside alone, and does not wait for them.
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        gone = isinstance(error, ConnectionError | TimeoutError)
        log.log(logging.INFO if gone else logging.ERROR, "request ended: %r", error)


class Door:
    """HTTP on `port` (0: a free one, kept from then on). Every answer ends its connection.

    `now` is the clock of its `Date` headers, in epoch seconds.
    """

    def __init__(self, handle: Handle, port: int, now: Callable[[], float] = time.time) -> None:
        self._handler = _handler(handle, now)
        self._port = port
        self._server: _Server | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def open(self) -> None:
        """Listen; nothing happens when it does already. Raises OSError for a port in use."""
        with self._lock:
            if self._server is None:
                self._server = _Server(("127.0.0.1", self._port), self._handler)
                self._port = self._server.server_port
                thread = threading.Thread(
                    target=self._server.serve_forever, args=(_POLL_S,), daemon=True
                )
                thread.start()

    def close(self) -> None:
        """Stop listening: clients are refused. Requests inside go on."""
        with self._lock:
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server = None


def _handler(handle: Handle, now: Callable[[], float]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = READ_TIMEOUT_S
        server_version = "shop"
        sys_version = ""

        def _respond(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > LARGEST_BODY:
                self._send(Answer(413, {"error": "body too large, or of no stated length"}))
                return
            body = self.rfile.read(int(length))
            self._send(handle(self.command, self.path, self.headers, body))

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _respond  # noqa: N815

        def _send(self, answer: Answer) -> None:
            if answer.status == 0:
                self.close_connection = True
                return
            body = answer.encoded()
            if answer.drip_s:
                self._drip(answer, body)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _drip(self, answer: Answer, body: bytes) -> None:
            head = f"HTTP/1.1 {answer.status} OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            for byte in head + body:
                time.sleep(answer.drip_s)
                self.wfile.write(bytes([byte]))

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(now() if timestamp is None else timestamp, usegmt=True)

        def log_message(self, format: str, *args: Any) -> None:
            log.info(format, *args)

    return Handler
