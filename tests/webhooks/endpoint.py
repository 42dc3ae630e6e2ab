"""A webhook endpoint on a real socket, that answers as a test tells it to."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stripe import SignatureVerificationError, WebhookSignature

from payops.domain.signature import read_header


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def signature(self) -> str:
        return self.headers.get("Stripe-Signature", "")


@dataclass(frozen=True)
class Reply:
    """What is answered; `clock_s` is added to the time in `Date`."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    clock_s: float = 0


Handler = Callable[[Request], Reply]


@dataclass(frozen=True)
class Endpoint:
    """A running endpoint and all that it was sent."""

    url: str
    requests: list[Request]

    @property
    def events(self) -> list[str]:
        return [json.loads(each.body)["id"] for each in self.requests if each.body]


@contextlib.contextmanager
def listening(handler: Handler, context: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """An endpoint on loopback until the block ends."""
    requests: list[Request] = []

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            got = Request(
                self.command, self.path, dict(self.headers.items()), self.rfile.read(length)
            )
            requests.append(got)
            reply = handler(got)
            self.send_response_only(reply.status)
            self.send_header("Date", formatdate(time.time() + reply.clock_s, usegmt=True))
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = _answer  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what some tests are about."""

    server = Quiet(("127.0.0.1", 0), Answers)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    scheme = "https" if context else "http"
    try:
        yield Endpoint(f"{scheme}://127.0.0.1:{server.server_port}/webhooks/stripe", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)


REFUSED = Reply(400, b'{"error": "Invalid signature"}')
ACCEPTED = Reply(200, b'{"status": "processed"}')


def careful(*secrets: str, tolerance: int | None = 300, skew: float = 0) -> Handler:
    """Verifies as Stripe's SDK does, with a clock that is `skew` seconds ahead."""

    def handle(request: Request) -> Reply:
        stamp = read_header(request.signature).timestamp or 0
        if tolerance and abs(time.time() + skew - stamp) > tolerance:
            return Reply(REFUSED.status, REFUSED.body, clock_s=skew)
        for secret in secrets:
            with contextlib.suppress(SignatureVerificationError):
                WebhookSignature.verify_header(request.body.decode(), request.signature, secret)
                return Reply(ACCEPTED.status, ACCEPTED.body, clock_s=skew)
        return Reply(REFUSED.status, REFUSED.body, clock_s=skew)

    return handle


def behind_a_proxy(inner: Handler, rewrite: Callable[[object], str]) -> Handler:
    """What reaches `inner` was parsed and written anew."""

    def handle(request: Request) -> Reply:
        if request.method != "POST":
            return inner(request)
        body = rewrite(json.loads(request.body)).encode()
        return inner(Request(request.method, request.path, request.headers, body))

    return handle


def always(status: int, body: bytes = b"", **headers: str) -> Handler:
    """The same to everyone."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda request: Reply(status, body, named)
