"""Pages come over the wire as the SDK would ask for them, and become rows of the spool's width."""

from __future__ import annotations

import csv
import gzip
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from payops.config.sources import StripeSettings
from payops.domain.secret import Secret
from payops.lab.stripe import default_key, objects
from payops.lab.stripe.store import encode
from payops.reconcile.spool_schema import KINDS
from payops.sources import stripe_rows
from payops.sources.stripe_pages import StoppedError, StripePages
from payops.sources.stripe_pages_pace import FetchPace

SHAPE = stripe_rows.Shape(local_keys=("a", "b"), order_keys=("a",), fees=True)
LISTS = (
    stripe_rows.intents(SHAPE),
    stripe_rows.refunds(),
    stripe_rows.disputes(),
    stripe_rows.sessions(SHAPE),
)
INTENT: dict[str, Any] = {
    "id": "pi_1",
    "amount": 5,
    "currency": "usd",
    "status": "succeeded",
    "created": 7,
    "livemode": False,
}


class Server(ThreadingHTTPServer):
    """Answers every request with `body`, gzipped, and keeps what it was asked."""

    asked: list[tuple[str, dict[str, str], int]]
    body = b'{"data": [], "has_more": false}'


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert isinstance(self.server, Server)
            self.server.asked.append((self.path, dict(self.headers), self.client_address[1]))
            body = gzip.compress(self.server.body)
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    made = Server(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.asked = []
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def pages_of(server: Server, **settings: Any) -> StripePages:
    chosen = StripeSettings(
        secret_key=Secret(default_key()),
        api_base=f"http://127.0.0.1:{server.server_port}",
        **settings,
    )
    return StripePages(chosen, pace=FetchPace(1e6, 1e6))


def test_what_is_sent(server: Server) -> None:
    pages = pages_of(server)
    stop = threading.Event()
    pages.page(LISTS[0], stop, since=1, until=9, after="pi_1")
    pages.page(LISTS[1], stop, payment_intent="pi_1&x")
    pages.close()
    (first, headers, port), (second, _, same_port) = server.asked
    assert first == (
        "/v1/payment_intents?limit=100&created%5Bgte%5D=1&created%5Blt%5D=9&starting_after=pi_1"
        "&expand%5B%5D=data.latest_charge&expand%5B%5D=data.latest_charge.balance_transaction"
    )
    assert second == "/v1/refunds?limit=100&payment_intent=pi_1%26x"
    assert headers["Authorization"] == f"Bearer {default_key()}"
    assert headers["Stripe-Version"] == "2024-06-20"
    assert headers["User-Agent"].startswith("Stripe/")
    assert headers["Accept-Encoding"] == "gzip"
    assert port == same_port  # kept alive
    assert pages.calls == 2


def test_a_pinned_version(server: Server) -> None:
    pages = pages_of(server, api_version="2025-01-27.acacia")
    pages.page(LISTS[0], threading.Event())
    pages.close()
    assert server.asked[0][1]["Stripe-Version"] == "2025-01-27.acacia"


def test_stopped(server: Server) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        pages_of(server).page(LISTS[0], stop)
    assert not server.asked


@pytest.mark.parametrize("kind", LISTS, ids=lambda kind: kind.name)
def test_rows_are_as_wide_as_the_spools_columns(kind: stripe_rows.ListKind) -> None:
    common: dict[str, Any] = {"amount": 5, "currency": "usd", "created": 7}
    made = {
        "intents": lambda: objects.payment_intent(**INTENT),
        "refunds": lambda: objects.refund(id="re_1", status="succeeded", charge="ch_1", **common),
        "disputes": lambda: objects.dispute(
            id="dp_1", status="lost", charge="ch_1", reason="general", livemode=False, **common
        ),
        "sessions": lambda: objects.checkout_session(
            id="cs_1",
            amount_total=5,
            currency="usd",
            status="open",
            payment_status="unpaid",
            created=7,
            livemode=False,
        ),
    }[kind.name]()
    row = kind.row(kind.decode_one(encode(made)))
    assert len(row) == len(KINDS[kind.name])
    assert row[:2] == (made["id"], "7000000")


def test_a_charge_is_as_wide_as_an_intent() -> None:
    charge = stripe_rows.charge_decoder()(b'{"id":"ch_1","created":7,"status":"failed"}')
    assert len(stripe_rows.charge_as_intent(charge, SHAPE)) == len(KINDS["intents"])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"latest_charge": "ch_1"}, {"charge": "ch_1", "charge_status": ""}),
        ({"latest_charge": None}, {"charge": ""}),
        ({"customer": {"id": "cus_1", "object": "customer"}}, {"customer": "cus_1"}),
        ({"metadata": None}, {"meta_local": "", "meta_order": ""}),
        ({"metadata": {"b": "2"}}, {"meta_local": "2", "meta_order": ""}),
        ({"metadata": {"a": "", "b": "2"}}, {"meta_local": "2"}),
        ({"metadata": {"a": '1,"x"\r\n\u0000é'}}, {"meta_local": '1,"x"\r\n\ufffdé'}),
        ({"last_payment_error": {"code": "card_declined"}}, {"failure_code": "card_declined"}),
    ],
)
def test_odd_intents(changed: dict[str, Any], expected: dict[str, str]) -> None:
    import json

    made = {"object": "payment_intent", **INTENT, "amount_received": 0, **changed}
    row = LISTS[0].row(LISTS[0].decode_one(json.dumps(made).encode()))
    text = io.StringIO(stripe_rows.csv_text([row]), newline="")
    (read,) = csv.reader(text)
    found = dict(zip(KINDS["intents"], read, strict=True))
    assert {name: found[name] for name in expected} == expected
