"""What a replay sends, and what it makes of the answers."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from payops.config.section import Duration
from payops.config.sources import StripeSettings
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.errors import Failure, SourceError
from payops.lab.merchant.signature import genuine
from payops.lab.stripe.config import default_key
from payops.lab.stripe.simulator import Simulator
from payops.sources.webhook_sender import StripeRetry, WebhookSender, never_sent

BODY = '{\n  "id": "evt_1",\n  "name": "\N{SNOWMAN} \\u2028"\n}'.encode()
ONE, TWO = Secret("whsec_one_of_the_sender_tests"), Secret("whsec_two_of_the_sender_tests")


class Receiver:
    """Keeps what it got; answers one status and body."""

    def __init__(self, status: int = 200, body: bytes = b"", location: str = "") -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                read = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), read))
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    made = WebhookSender(Deadline.after(10))
    yield made
    made.close()


def test_the_bytes_as_they_are_signed_with_every_secret(sender: WebhookSender) -> None:
    with Receiver() as receiver:
        sent = sender.send(receiver.url, BODY, (ONE, TWO))
    ((path, headers, body),) = receiver.got
    assert sent.accepted
    assert sent.latency_ms > 0
    assert (path, body) == ("/hook?token=1", BODY)
    for secret in (ONE, TWO):
        assert genuine(headers["Stripe-Signature"], body, (secret.reveal(),))
    assert headers["Stripe-Signature"].count("v1=") == 2
    assert not genuine(headers["Stripe-Signature"], body, ("whsec_other",))


def test_a_login_in_the_url_is_sent_as_a_header(sender: WebhookSender) -> None:
    with Receiver() as receiver:
        sender.send(receiver.url.replace("://", "://ann:p%40ss@"), BODY, (ONE,))
    ((_, headers, _),) = receiver.got
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"ann:p@ss").decode()
    assert "@" not in headers["Host"]


def test_a_redirect_says_where_to_and_is_not_followed(sender: WebhookSender) -> None:
    with Receiver() as other, Receiver(308, location=other.url) as receiver:
        sent = sender.send(receiver.url, BODY, (ONE,))
    assert (sent.status, sent.accepted) == (308, False)
    assert sent.location == other.url.replace("token=1", "token=[redacted]")
    assert other.got == []


def test_a_redirect_to_what_is_no_address_is_an_answer_too(sender: WebhookSender) -> None:
    with Receiver(302, location="http://[") as receiver:
        sent = sender.send(receiver.url, BODY, (ONE,))
    assert (sent.status, sent.location, len(receiver.got)) == (302, "http://[", 1)


def test_what_a_refusal_says_is_short_and_harmless(sender: WebhookSender) -> None:
    said = f"<b>\x1b[2J no \r\n {ONE.reveal()} ".encode() + b"x" * 5000
    with Receiver(500, said) as receiver:
        sent = sender.send(receiver.url, BODY, (ONE,))
    assert not sent.accepted
    assert "\x1b" not in sent.said
    assert ONE.reveal() not in sent.said
    assert len(sent.said) <= 100


def test_nobody_listens_is_sure_and_silence_is_not(sender: WebhookSender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hurried = WebhookSender(Deadline.after(0.4))
        began = time.monotonic()
        with pytest.raises(SourceError) as raised:
            hurried.send(f"http://127.0.0.1:{port}/", BODY, (ONE,))
        hurried.close()
        assert time.monotonic() - began < 5
        assert raised.value.kind is Failure.TIMED_OUT
        assert not never_sent(raised.value)
    with pytest.raises(SourceError) as raised:
        sender.send(f"http://127.0.0.1:{port}/", BODY, (ONE,))
    assert never_sent(raised.value)


def test_stripes_retry_call(simulator: Simulator) -> None:
    def retry(key: str) -> StripeRetry:
        settings = StripeSettings(
            secret_key=Secret(key), api_base=simulator.url, timeout=Duration(5)
        )
        return StripeRetry(settings, Deadline.after(10))

    with closing(retry(default_key())) as asked:
        sent = asked.send("evt_nobody", "we_nobody")
    assert sent.status == 404
    assert not sent.accepted
    with (
        closing(retry("sk_test_nobodyknowsthiskey00")) as asked,
        pytest.raises(SourceError) as raised,
    ):
        asked.send("evt_nobody", "we_nobody")
    assert raised.value.kind is Failure.AUTHENTICATION
    assert "nobodyknows" not in str(raised.value) + raised.value.hint
