"""`POST /pay`, the breaker and the health page over a real Postgres and a real Redis."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from lab.merchant.front import SECRET, OpenShop, eventually, one, request
from payops.lab.merchant.breaker import FAILURES, LAST_FAILURE, OPENED_AT, STATE, Breaker
from payops.lab.merchant.traffic import MOST, send_payments
from payops.lab.servers.redis import RedisServer
from payops.lab.stripe.config import Config, default_key
from payops.lab.stripe.simulator import Simulator

Database = psycopg.Connection[Any]
PAYMENT = "SELECT status, processor_ref, failure_code FROM payments WHERE order_id = %s"


@contextlib.contextmanager
def stripe_that_says(status: int, body: bytes = b"{}", delay_s: float = 0) -> Iterator[str]:
    """A Stripe with one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(delay_s)
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def error(**fields: Any) -> bytes:
    return json.dumps({"error": fields}).encode()


@pytest.fixture
def shop_and_stripe(
    open_shop: Callable[..., OpenShop], tmp_path: Path
) -> Iterator[tuple[OpenShop, Simulator]]:
    """A shop and the simulator, which delivers its webhooks to the shop."""
    with Simulator(tmp_path / "stripe", Config()).running() as stripe:
        shop = open_shop(stripe_url=stripe.url, stripe_key=default_key())
        endpoint = {"url": shop.url + "/webhooks/stripe", "secret": SECRET, "livemode": False}
        told = json.dumps(endpoint).encode()
        assert request("PUT", stripe.control_url + "/webhook_endpoints/we_1", told)[0] == 200
        yield shop, stripe


def test_pay_then_webhook_then_the_ledger_moves(
    shop_and_stripe: tuple[OpenShop, Simulator], database: Database, cache: redis.Redis
) -> None:
    shop, _ = shop_and_stripe
    status, body = shop.pay(email="ada@example.com")
    assert status == 200
    assert body["processor_ref"].startswith("pi_")
    assert cache.get("idempotency:pay-order-1") == body["payment_id"]
    eventually(lambda: one(database, PAYMENT, "order-1")[0] == "succeeded")
    assert shop.pay()[1]["payment_id"] == body["payment_id"], "asking twice pays once"
    eventually(
        lambda: (
            database.execute("SELECT 1 FROM webhook_events WHERE status <> 'processed'").fetchone()
            is None
        )
    )
    assert cache.get(FAILURES) is None


def test_a_declined_card(
    shop_and_stripe: tuple[OpenShop, Simulator], database: Database, cache: redis.Redis
) -> None:
    shop, _ = shop_and_stripe
    card = "pm_card_chargeDeclinedInsufficientFunds"
    status, body = shop.pay(payment_method=card)
    assert (status, body["error"]) == (402, "insufficient_funds")
    row = one(database, PAYMENT, "order-1")
    assert (row[0], row[2]) == ("failed", "insufficient_funds")
    assert row[1].startswith("pi_")
    assert cache.get(FAILURES) is None, "a declined card is no failure of ours"


def test_three_d_secure_waits_for_the_customer(
    shop_and_stripe: tuple[OpenShop, Simulator], database: Database
) -> None:
    shop, stripe = shop_and_stripe
    status, body = shop.pay(payment_method="pm_card_authenticationRequired")
    assert (status, body["status"]) == (200, "requires_action")
    told = json.dumps({"payment_intent": body["processor_ref"], "passed": True}).encode()
    assert request("POST", stripe.control_url + "/authenticate", told)[0] == 200
    eventually(lambda: one(database, PAYMENT, "order-1")[0] == "succeeded")


def test_traffic_for_a_drill(
    shop_and_stripe: tuple[OpenShop, Simulator], database: Database
) -> None:
    shop, _ = shop_and_stripe
    traffic = send_payments(shop.url, 20, seed=3)
    assert sum(traffic.answers.values()) == len(set(traffic.orders)) == 20
    assert set(traffic.answers) <= {200, 402}
    done = "SELECT count(*) FROM payments WHERE status IN ('succeeded', 'failed')"
    eventually(lambda: one(database, done) == (20,))
    with pytest.raises(ValueError, match="0 to 500"):
        send_payments(shop.url, MOST + 1)
    assert send_payments("http://127.0.0.1:9", 2).answers == {0: 2}


@pytest.mark.parametrize(
    ("status", "body", "word", "ledger"),
    [
        (503, b"oops", "api_error", "pending"),
        (500, error(type="api_error"), "api_error", "pending"),
        (200, b"not json", "api_error", "pending"),
        (429, error(type="invalid_request_error", code="rate_limit"), "rate_limit", "failed"),
        (401, error(type="invalid_request_error"), "authentication_error", "failed"),
        (400, error(type="invalid_request_error"), "invalid_request_error", "failed"),
        (409, error(type="idempotency_error"), "idempotency_error", "failed"),
    ],
)
def test_failures_of_ours_and_of_stripe(
    open_shop: Callable[..., OpenShop],
    database: Database,
    cache: redis.Redis,
    status: int,
    body: bytes,
    word: str,
    ledger: str,
) -> None:
    with stripe_that_says(status, body) as url:
        answer = open_shop(stripe_url=url).pay()
    assert (answer[0], answer[1]["error"]) == (502, word)
    assert one(database, PAYMENT, "order-1") == (ledger, None, word)
    assert cache.get(FAILURES) == "1"
    assert 0 < int(cache.ttl(FAILURES)) <= 60


def test_a_lost_answer_leaves_the_payment_pending(
    open_shop: Callable[..., OpenShop], database: Database
) -> None:
    with stripe_that_says(200, delay_s=0.5) as url:
        assert open_shop(stripe_url=url, stripe_timeout_s=0.1).pay()[1]["error"] == "timeout"
    assert one(database, PAYMENT, "order-1") == ("pending", None, "timeout")


def test_the_breaker_opens_rests_and_closes(
    open_shop: Callable[..., OpenShop], database: Database, cache: redis.Redis
) -> None:
    shop = open_shop()
    for number in range(5):
        assert shop.pay(order_id=f"refused-{number}")[0] == 502
    assert one(database, PAYMENT, "refused-0") == ("failed", None, "api_connection_error")
    assert (cache.get(STATE), cache.get(FAILURES)) == ("open", "5")
    assert abs(float(cache.get(OPENED_AT) or 0) - time.time()) < 5
    assert cache.get(LAST_FAILURE) == cache.get(OPENED_AT)
    assert shop.pay(order_id="early")[1]["error"] == "circuit_open"
    assert one(database, PAYMENT, "early") == ("failed", None, "circuit_open")

    cache.set(OPENED_AT, time.time() - 31)
    assert shop.pay(order_id="probe")[0] == 502
    assert cache.get(STATE) == "open", "a failed probe opens it again"
    assert time.time() - float(cache.get(OPENED_AT) or 0) < 5

    cache.set(OPENED_AT, time.time() - 31)
    with stripe_that_says(200, b'{"id": "pi_1", "status": "succeeded"}') as url:
        assert open_shop(stripe_url=url).pay(order_id="good")[0] == 200
    assert (cache.get(STATE), cache.get(FAILURES), cache.get(OPENED_AT)) == ("closed", None, None)


def test_one_probe_at_a_time(cache: redis.Redis, redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        breaker = Breaker(client)
        cache.set(STATE, "half_open")
        assert breaker.allows()
        assert not breaker.allows()
        breaker.record(failed=False)
        assert cache.get(STATE) == "closed"
        cache.set(STATE, "open")  # without a time, as an operator's mistake leaves it
        assert not breaker.allows()


def test_orders_that_make_no_sense(shop: OpenShop, database: Database) -> None:
    for wrong in (
        {"amount": 0},
        {"amount": "5"},
        {"amount": True},
        {"currency": "dollars"},
        {"email": 5},
    ):
        assert shop.pay(**wrong)[0] == 400
    assert request("POST", shop.url + "/pay", b"[")[0] == 400
    assert request("POST", shop.url + "/pay", b"[]")[0] == 400
    assert database.execute("SELECT 1 FROM payments").fetchall() == []


def test_other_paths(shop: OpenShop) -> None:
    assert request("GET", shop.url + "/")[0] == 404
    assert request("GET", shop.url + "/webhooks/stripe")[0] == 405
    assert request("POST", shop.url + "/pay", b"x", {"Content-Length": "9999999"})[0] == 413
    assert request("GET", shop.control_url + "/nothing")[0] == 404


def test_health_names_what_is_down(
    shop: OpenShop, database: Database, redis_server: RedisServer
) -> None:
    assert shop.health() == (200, {"status": "ok", "database": "ok", "redis": "ok"})
    shop.break_(health="500")
    assert shop.health()[0] == 500
    shop.break_(health=None)
    redis_server.stop()
    try:
        assert shop.health() == (503, {"status": "down", "database": "ok", "redis": "down"})
        assert shop.pay(order_id="no-redis")[0] == 502, "payments go on without Redis"
    finally:
        redis_server.start()
    eventually(lambda: shop.health()[0] == 200)


def test_a_lost_database_heals(shop: OpenShop, database: Database, postgres: Any) -> None:
    database.close()
    postgres.kill()
    try:
        assert shop.health() == (503, {"status": "down", "database": "down", "redis": "ok"})
        assert shop.pay()[0] == 503
    finally:
        postgres.start()
    eventually(lambda: shop.health()[0] == 200)
