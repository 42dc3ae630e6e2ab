"""What the lab breaks in the shop's webhook, over a real Postgres and a real Redis."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from lab.merchant.front import OpenShop, event, eventually, intent_of, new_payment, one, request

Database = psycopg.Connection[Any]
LOG = (
    "SELECT status, attempts, error, processed_at IS NOT NULL FROM webhook_events"
    " WHERE event_id = %s"
)


@pytest.mark.parametrize(
    ("fault", "status"), [("500", 500), ("wrong_secret", 400), ("redirect", 308), ("403", 403)]
)
def test_faults_that_answer(shop: OpenShop, database: Database, fault: str, status: int) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    assert shop.break_(webhook=fault)[0] == 200
    assert shop.deliver(told)[0] == status
    assert one(database, "SELECT status FROM payments") == ("pending",)
    shop.break_(webhook=None)
    assert shop.deliver(told) == (200, {"status": "processed"})
    assert one(database, LOG, told["id"])[1] == (2 if fault == "500" else 1)


def test_a_failed_handler_is_in_the_log(
    shop: OpenShop, database: Database, cache: redis.Redis
) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    shop.break_(webhook="500")
    shop.deliver(told)
    status, attempts, error, done = one(database, LOG, told["id"])
    assert (status, attempts, done) == ("failed", 1, False)
    assert "internal error" in error
    assert cache.get(f"stripe_event:{told['id']}") is None


def test_a_swallowed_event_leaves_no_trace(shop: OpenShop, database: Database) -> None:
    shop.break_(webhook="swallow")
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    assert shop.deliver(told)[0] == 200
    assert database.execute("SELECT 1 FROM webhook_events").fetchall() == []
    assert one(database, "SELECT status FROM payments") == ("pending",)


def test_a_hanging_webhook_ends_when_the_fault_does(shop: OpenShop, database: Database) -> None:
    shop.break_(webhook="timeout")
    ended = threading.Event()

    def deliver() -> None:
        with pytest.raises(ConnectionError):
            shop.deliver(event("payout.paid", {"id": "po_1", "object": "payout"}))
        ended.set()

    thread = threading.Thread(target=deliver)
    thread.start()
    assert not ended.wait(0.2)
    shop.break_(webhook=None)
    thread.join(5)
    assert ended.is_set()


def test_unknown_faults_are_refused(shop: OpenShop) -> None:
    for wrong in ({"webhook": "nonsense"}, {"pay": "500"}, {"down": "yes"}):
        status, body = shop.break_(**wrong)
        assert status == 400
        assert body["error"]
    assert shop.break_()[1]["faults"] == {
        "webhook": None,
        "health": None,
        "clock_offset_s": 0.0,
        "down": False,
    }


def test_down_closes_the_door_and_reopens_it(shop: OpenShop) -> None:
    assert shop.break_(down=True)[1]["faults"]["down"] is True
    with pytest.raises(ConnectionRefusedError):
        shop.health()
    shop.break_(down=True)
    shop.break_(down=False)
    eventually(lambda: shop.health()[0] == 200)


def test_a_fault_is_for_the_types_it_names(shop: OpenShop, database: Database) -> None:
    shop.break_(webhook={"fault": "404", "types": ["payout.paid"]})
    payout = event("payout.paid", {"id": "po_1", "object": "payout"})
    assert shop.deliver(payout)[0] == 404
    other = event("payout.created", {"id": "po_1", "object": "payout"})
    assert shop.deliver(other) == (200, {"status": "processed"})
    assert request("POST", shop.url + "/webhooks/stripe", b"no event")[0] == 400


def test_a_fault_is_for_the_next_deliveries(shop: OpenShop) -> None:
    shop.break_(webhook={"fault": "crash", "next": 2})
    payout = event("payout.paid", {"id": "po_1", "object": "payout"})
    assert [shop.deliver(payout)[0] for _ in range(3)] == [500, 500, 200]
    assert shop.break_()[1]["faults"]["webhook"] is None


def test_of_several_faults_the_first_that_fits_strikes(shop: OpenShop) -> None:
    faults = [{"fault": "404", "types": ["payout.paid"], "by": "one"}, "403"]
    told = shop.break_(webhook=faults)[1]["faults"]["webhook"]
    assert [one if isinstance(one, str) else one["fault"] for one in told] == ["404", "403"]
    assert shop.deliver(event("payout.paid", {"id": "po_1", "object": "payout"}))[0] == 404
    status, page = shop.deliver(event("payout.created", {"id": "po_1", "object": "payout"}))
    assert status == 403
    assert "<form" in page["html"]
    assert shop.break_(webhook=told)[1]["faults"]["webhook"] == told


@pytest.mark.parametrize(
    ("fault", "answer", "row"),
    [
        ("stuck", {"status": "received"}, ("received", 0, None, False)),
        ("swallow_logged", {"status": "processed"}, ("processed", 1, None, True)),
        ("failed", {"status": "received"}, ("failed", 1, "InjectedError", False)),
    ],
)
def test_faults_of_a_worker_are_answered_with_200(
    shop: OpenShop,
    database: Database,
    cache: redis.Redis,
    fault: str,
    answer: dict[str, str],
    row: tuple[Any, ...],
) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    shop.break_(webhook=fault)
    assert shop.deliver(told) == (200, answer)
    status, attempts, error, done = one(database, LOG, told["id"])
    assert (status, attempts, (error or "").partition(":")[0] or None, done) == row
    assert one(database, "SELECT status FROM payments") == ("pending",)
    assert cache.get(f"stripe_event:{told['id']}") == "1"


def test_late_is_answered_at_once_and_handled_when_the_queue_is_through(
    shop: OpenShop, database: Database
) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    shop.break_(webhook={"fault": "late", "seconds": 60})
    assert shop.deliver(told) == (200, {"status": "received"})
    assert one(database, "SELECT status FROM payments") == ("pending",)
    shop.break_(webhook=None)
    eventually(lambda: one(database, "SELECT status FROM payments") == ("succeeded",))
    eventually(lambda: one(database, LOG, told["id"]) == ("processed", 1, None, True))


def test_slow_answers_when_it_is_done(shop: OpenShop, database: Database) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    shop.break_(webhook={"fault": "slow", "seconds": 0.3})
    started = time.monotonic()
    assert shop.deliver(told) == (200, {"status": "processed"})
    assert time.monotonic() - started >= 0.3


def test_without_deduplication_an_event_is_handled_again(
    shop: OpenShop, database: Database
) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    shop.break_(webhook="no_dedupe")
    assert [shop.deliver(told)[1]["status"] for _ in range(2)] == ["processed"] * 2
    assert one(database, LOG, told["id"])[:2] == ("processed", 2)


def test_without_order_the_last_delivery_wins(shop: OpenShop, database: Database) -> None:
    payment = new_payment(database)
    shop.break_(webhook="any_order")
    shop.deliver(event("payment_intent.succeeded", intent_of(payment)))
    shop.deliver(event("payment_intent.processing", intent_of(payment, "processing")))
    row = "SELECT status, completed_at IS NOT NULL FROM payments"
    assert one(database, row) == ("processing", True)


def test_a_proxy_that_writes_the_body_anew(shop: OpenShop) -> None:
    payout = event("payout.paid", {"id": "po_1", "object": "payout"})
    shop.break_(webhook="altered")
    assert shop.deliver(payout) == (400, {"error": "invalid signature"})
    shop.break_(webhook=None)
    assert shop.deliver(payout)[0] == 200


@pytest.mark.parametrize(
    ("outer", "status"), [("redirect", 308), ("403", 403), ("altered", 400), ("wrong_secret", 400)]
)
def test_what_stands_before_the_handler_strikes_first(
    shop: OpenShop, database: Database, outer: str, status: int
) -> None:
    """Whatever came first: a delivery that a proxy stops never meets the handler, and uses up none
    of its faults."""
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    handler = {"fault": "failed", "next": 1}
    for faults in ([handler, outer], [outer, handler]):
        shop.break_(webhook=faults)
        assert shop.deliver(told)[0] == status
    shop.break_(webhook=[handler])
    assert shop.deliver(told) == (200, {"status": "received"})
    assert one(database, LOG, told["id"])[0] == "failed"


def test_a_clock_that_is_off(shop: OpenShop) -> None:
    payout = event("payout.paid", {"id": "po_1", "object": "payout"})
    for offset, status in ((-290, 200), (310, 400), (-310, 400), (0, 200)):
        shop.break_(clock_offset_s=offset)
        assert shop.deliver(payout)[0] == status


def test_a_dripping_answer_takes_a_second_a_byte(shop: OpenShop) -> None:
    parts = urlsplit(shop.url)
    shop.break_(webhook="drip")
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as client:
        client.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        started = time.monotonic()
        assert client.recv(100) == b"H"
        assert client.recv(100) == b"T"
        assert time.monotonic() - started >= 1.5


def test_faults_that_cannot_be(shop: OpenShop) -> None:
    for wrong in (
        {"webhook": {"fault": "403", "typos": []}},
        {"webhook": {"fault": "403", "next": 0}},
        {"webhook": {"fault": "late", "seconds": -1}},
        {"webhook": {"fault": "late", "seconds": "long"}},
        {"webhook": [7]},
        {"health": "redirect"},
        {"clock_offset_s": "ahead"},
        {"webhook_down": True},
    ):
        assert shop.break_(**wrong)[0] == 400
    none = {"webhook": None, "health": None, "clock_offset_s": 0.0, "down": False}
    assert shop.break_()[1]["faults"] == none
