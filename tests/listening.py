"""An HTTP server that takes whatever is sent to it and keeps it: a heartbeat's, a chat's end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Heard:
    """What was sent: method, path with query, body. `status` is what it is answered; `delay` in
    seconds before."""

    port: int = 0
    status: int = 200
    delay: float = 0.0
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]

    @property
    def bodies(self) -> list[str]:
        return [body for _, _, body in self.requests]


@contextmanager
def listening(status: int = 200, delay: float = 0.0) -> Iterator[Heard]:
    """A server on loopback."""
    heard = Heard(status=status, delay=delay)
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard.requests.append((self.command, self.path, body.decode("utf-8", "replace")))
            stop.wait(heard.delay)
            self.send_response(heard.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    heard.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()
