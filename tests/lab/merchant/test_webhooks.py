"""`POST /webhooks/stripe` over a real Postgres and a real Redis."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis

from lab.merchant.front import (
    OpenShop,
    charge_of,
    event,
    intent_of,
    new_payment,
    one,
    request,
)
from payops.domain.signature import signed_with
from payops.lab.merchant.signature import genuine
from payops.lab.stripe import objects

Database = psycopg.Connection[Any]
LOG = (
    "SELECT status, attempts, error, processed_at IS NOT NULL FROM webhook_events"
    " WHERE event_id = %s"
)


def test_a_success_completes_the_payment(shop: OpenShop, database: Database) -> None:
    payment = new_payment(database, intent=None)
    told = event("payment_intent.succeeded", intent_of(payment))
    assert shop.deliver(told) == (200, {"status": "processed"})
    row = one(database, "SELECT status, processor_ref, completed_at IS NOT NULL FROM payments")
    assert row == ("succeeded", "pi_1", True)
    assert one(database, LOG, told["id"]) == ("processed", 1, None, True)
    assert one(database, "SELECT payload FROM webhook_events") == (told,)


def test_a_decline_says_why(shop: OpenShop, database: Database) -> None:
    error = objects.card_error(code="card_declined", decline_code="lost_card", message="No.")
    told = intent_of(new_payment(database), "requires_payment_method", last_payment_error=error)
    assert shop.deliver(event("payment_intent.payment_failed", told))[0] == 200
    row = one(database, "SELECT status, failure_code, failure_message FROM payments")
    assert row == ("failed", "lost_card", "No.")


def test_a_duplicate_is_answered_but_not_done_again(
    shop: OpenShop, database: Database, cache: redis.Redis
) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    shop.deliver(told)
    assert 86_000 < int(cache.ttl(f"stripe_event:{told['id']}")) <= 86_400
    assert shop.deliver(told) == (200, {"status": "already_processed"})
    cache.flushall()  # Redis has forgotten; the event log has not
    assert shop.deliver(told) == (200, {"status": "already_processed"})
    assert one(database, LOG, told["id"])[1] == 1


def test_one_of_simultaneous_deliveries_is_done(shop: OpenShop, database: Database) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(shop.deliver(told)[1]["status"]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["already_processed"] * 5 + ["processed"]


def events_of_a_refunded_payment(payment: Any) -> list[dict[str, Any]]:
    refund = objects.refund(
        id="re_1",
        amount=500,
        currency="usd",
        status="succeeded",
        created=int(time.time()),
        charge="ch_1",
        payment_intent="pi_1",
        reason="duplicate",
    )
    return [
        event("payment_intent.created", intent_of(payment, "requires_payment_method")),
        event("payment_intent.succeeded", intent_of(payment)),
        event("refund.created", refund),
        event("charge.refunded", charge_of(500)),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_of_events_ends_alike(
    shop: OpenShop, database: Database, order: tuple[int, ...]
) -> None:
    told = events_of_a_refunded_payment(new_payment(database))
    for number in order:
        assert shop.deliver(told[number])[0] == 200
    row = one(database, "SELECT status, completed_at IS NOT NULL, amount FROM payments")
    assert row == ("partially_refunded", True, 1999)
    refund = one(database, "SELECT processor_ref, amount, status, reason FROM refunds")
    assert refund == ("re_1", 500, "succeeded", "duplicate")


def test_whole_refund_and_dispute(shop: OpenShop, database: Database) -> None:
    new_payment(database, "succeeded")
    shop.deliver(event("charge.refunded", charge_of(1999)))
    assert one(database, "SELECT status FROM payments") == ("refunded",)
    told = objects.dispute(
        id="dp_1",
        amount=1999,
        currency="usd",
        status="needs_response",
        reason="fraudulent",
        created=int(time.time()),
        livemode=False,
        charge="ch_1",
        payment_intent="pi_1",
    )
    shop.deliver(event("charge.dispute.created", told))
    assert one(database, "SELECT status FROM payments") == ("disputed",)


def test_what_is_none_of_ours_is_logged_and_left(shop: OpenShop, database: Database) -> None:
    foreign = {**intent_of(uuid4()), "metadata": {}}
    for type_, about in (
        ("payment_intent.succeeded", foreign),
        ("charge.refunded", charge_of(1)),
        ("payout.paid", {"id": "po_1", "object": "payout"}),
    ):
        told = event(type_, about)
        assert shop.deliver(told)[0] == 200
        assert one(database, LOG, told["id"])[0] == "processed"
    assert database.execute("SELECT 1 FROM payments").fetchall() == []


def test_a_payment_of_ours_that_is_missing_fails_until_it_is_there(
    shop: OpenShop, database: Database
) -> None:
    payment = new_payment(database, intent=None)
    told = event("payment_intent.succeeded", intent_of(payment))
    database.execute("ALTER TABLE payments RENAME TO gone")
    try:
        assert shop.deliver(told)[0] == 500
    finally:
        database.execute("ALTER TABLE gone RENAME TO payments")
    assert "UndefinedTable" in one(database, LOG, told["id"])[2]
    database.execute("UPDATE payments SET id = %s", (uuid4(),))
    assert shop.deliver(told)[0] == 500
    assert "UnknownPaymentError" in one(database, LOG, told["id"])[2]
    database.execute("UPDATE payments SET id = %s", (payment,))
    assert shop.deliver(told) == (200, {"status": "processed"})
    assert one(database, LOG, told["id"]) == ("processed", 3, None, True)


def test_a_forged_event_is_refused(shop: OpenShop, database: Database) -> None:
    told = event("payment_intent.succeeded", intent_of(new_payment(database)))
    assert shop.deliver(told, "whsec_wrong") == (400, {"error": "invalid signature"})
    assert request("POST", shop.url + "/webhooks/stripe", b"{}")[0] == 400
    assert shop.deliver(told, "whsec_old")[0] == 200
    assert shop.deliver({"id": "evt_1"}) == (400, {"error": "not an event"})


def test_signatures() -> None:
    good = f"t=1000,v0=x,v1=00,v1={signed_with('whsec_a', b'{}', 1000)}"
    assert genuine(good, b"{}", ["whsec_b", "whsec_a"], now=1300)
    assert not genuine(good, b"{}", ["whsec_a"], now=1301)
    assert not genuine(good, b"{} ", ["whsec_a"], now=1000)
    assert not genuine(good, b"{}", [], now=1000)
    for wrong in ("", "t=x,v1=1", "v1=1", "t=1000", "t=1000,t=1000,v1=é"):
        assert not genuine(wrong, b"{}", ["whsec_a"], now=1000)


def test_stripes_own_library_agrees() -> None:
    import stripe

    now = int(time.time())
    header = f"t={now},v1={signed_with('whsec_a', b'{}', now)}"
    assert stripe.WebhookSignature.verify_header("{}", header, "whsec_a", 300)
