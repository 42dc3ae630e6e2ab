"""Stripe, the ledger, the event log and Redis tell one story."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payops.domain.declines import declined_by_issuer
from payops.lab.history import Ending, History, HistoryPlan, tell

UNTIL = datetime(2026, 3, 14, 15, 9, 26, 500_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

plans = st.builds(
    HistoryPlan,
    payments=st.integers(0, 60),
    since=st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=7)])
    | st.timedeltas(timedelta(hours=1), timedelta(days=45)),
    until=st.integers(0, 200_000_000).map(lambda s: UNTIL + timedelta(seconds=s / 10)),
    seed=st.integers(0, 2**32),
    livemode=st.booleans(),
    webhook_endpoint=st.sampled_from(["", "https://shop.example.com/webhooks/stripe"]),
)
thorough = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def plan(payments: int = 500, days: float = 7, **more: Any) -> HistoryPlan:
    return HistoryPlan(payments=payments, since=timedelta(days=days), until=UNTIL, **more)


def by_kind(history: History) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for made in history.stripe_objects():
        key = made.get("id", made["object"])
        assert key not in found[made["object"]], f"{key} was told twice"
        found[made["object"]][key] = made
    return found


@pytest.fixture(scope="module")
def history() -> History:
    return tell(plan())


@thorough
@given(plans)
def test_every_payment_agrees_with_stripe(plan: HistoryPlan) -> None:
    history = tell(plan)
    stripe = by_kind(history)
    assert len(history.payments) == len(stripe["payment_intent"]) == plan.payments
    for row in history.payments:
        intent = stripe["payment_intent"][row.processor_ref]
        assert (intent["amount"], intent["currency"]) == (row.amount, row.currency)
        assert intent["metadata"] == {"order_id": row.order_id, "payment_id": str(row.id)}
        assert intent["customer"] == row.customer_id
        assert stripe["customer"][row.customer_id]["email"] == row.customer_email
        assert intent["livemode"] is plan.livemode
        assert 0 <= intent["created"] - row.created_at.timestamp() < 1
        assert intent["status"] == {
            "failed": "requires_payment_method",
            "canceled": "canceled",
        }.get(row.status, "succeeded")
        if row.status == "failed":
            error = intent["last_payment_error"]
            assert row.failure_code == error.get("decline_code", error["code"])
            assert row.failure_message == error["message"]
        else:
            assert row.failure_code is None
        if intent["status"] == "succeeded":
            charge = stripe["charge"][intent["latest_charge"]]
            line = stripe["balance_transaction"][charge["balance_transaction"]]
            assert line["source"] == charge["id"]
            if row.currency == "usd":
                assert line["amount"] == row.amount
            else:
                assert line["exchange_rate"]
            assert row.completed_at is not None
            assert 1 <= row.completed_at.timestamp() - charge["created"] <= 4
            assert charge["disputed"] is (row.status == "disputed")


@thorough
@given(plans)
def test_refunds_add_up(plan: HistoryPlan) -> None:
    history = tell(plan)
    stripe = by_kind(history)
    payments = {row.id: row for row in history.payments}
    assert {row.processor_ref for row in history.refunds} == set(stripe["refund"])
    refunded: Counter[Any] = Counter()
    for row in history.refunds:
        refund, payment = stripe["refund"][row.processor_ref], payments[row.payment_id]
        assert (refund["amount"], refund["currency"]) == (row.amount, row.currency)
        assert row.amount > 0
        assert row.currency == payment.currency
        assert refund["payment_intent"] == payment.processor_ref
        assert refund["created"] == row.created_at.timestamp()
        assert payment.completed_at is not None
        assert payment.completed_at < row.created_at <= payment.updated_at
        refunded[row.payment_id] += row.amount
    for id_, row in payments.items():
        charge_id = stripe["payment_intent"][row.processor_ref]["latest_charge"]
        taken_back = stripe["charge"][charge_id]["amount_refunded"] if charge_id else 0
        assert taken_back == refunded[id_]
        expected = {"refunded": row.amount}.get(row.status, refunded[id_])
        assert refunded[id_] == expected
        assert (0 < refunded[id_] < row.amount) == (row.status == "partially_refunded")


@thorough
@given(plans)
def test_the_books_balance(plan: HistoryPlan) -> None:
    stripe = by_kind(tell(plan))
    lines = stripe["balance_transaction"].values()
    sources = {**stripe["charge"], **stripe["refund"], **stripe["dispute"], **stripe["payout"]}
    for line in lines:
        assert line["net"] == line["amount"] - line["fee"]
        source = sources[line["source"]]
        assert line["created"] == source["created"]
        if line["type"] != "adjustment":
            assert source["balance_transaction"] == line["id"]
    for payout in stripe["payout"].values():
        paid = [
            t["net"] for t in lines if t.get("payout") == payout["id"] and t["type"] != "payout"
        ]
        assert payout["amount"] == sum(paid) > 0
    balance = stripe["balance"]["balance"]
    held = sum(balance[part][0]["amount"] for part in ("available", "pending"))
    assert held == sum(line["net"] for line in lines)


@thorough
@given(plans)
def test_every_event_was_delivered_and_handled(plan: HistoryPlan) -> None:
    history = tell(plan)
    stripe = by_kind(history)
    delivered = {event["id"]: event for event in history.events()}
    assert [row.event_id for row in history.webhook_events] == list(delivered)
    received = [row.received_at for row in history.webhook_events]
    assert received == sorted(received)
    for row in history.webhook_events:
        event = delivered[row.event_id]
        assert row.type == event["type"]
        assert 1 <= row.received_at.timestamp() - event["created"] <= 3
        assert row.received_at < row.processed_at < plan.until
        assert (row.status, row.attempts, row.error) == ("processed", 1, None)
        assert event["pending_webhooks"] == 0
        told = event["data"]["object"]
        now = stripe[told["object"]][told["id"]]
        assert (told["amount"], told["currency"]) == (now["amount"], now["currency"])
        assert told["created"] == now["created"] <= event["created"]
    month_ago = (plan.until - timedelta(days=30)).timestamp()
    kept = {id_ for id_, event in delivered.items() if event["created"] >= month_ago}
    assert set(stripe["event"]) == kept


@thorough
@given(plans)
def test_nothing_is_outside_the_window(plan: HistoryPlan) -> None:
    history = tell(plan)
    begin, end = (plan.until - plan.since).timestamp(), plan.until.timestamp() - 90
    for made in history.stripe_objects():
        if made["object"] in ("payment_intent", "charge", "refund", "dispute", "event", "payout"):
            assert begin <= made["created"] <= end
    for row in history.payments:
        assert row.created_at <= row.updated_at <= plan.until
        assert row.status not in ("pending", "processing", "requires_action")


@thorough
@given(plans)
def test_redis_holds_the_last_day(plan: HistoryPlan) -> None:
    history = tell(plan)
    strings = history.redis_strings
    assert strings["circuit_breaker:stripe:state"] == ("closed", None)
    assert "celery" not in strings
    day_ago = plan.until - timedelta(days=1) + timedelta(seconds=1)
    for row in history.payments:
        value = strings.get(f"idempotency:{row.idempotency_key}")
        if row.created_at >= day_ago:
            assert value is not None
            assert value[0] == str(row.id)
            assert 0 < (value[1] or 0) <= 86_400
    for event in history.webhook_events:
        assert (f"stripe_event:{event.event_id}" in strings) or event.received_at < day_ago
    ids = {row.event_id for row in history.webhook_events}
    keys = {key.removeprefix("stripe_event:") for key in strings if key.startswith("stripe_event:")}
    assert keys <= ids


@thorough
@given(st.integers(100, 400), st.integers(0, 10_000), st.sampled_from([1, 7, 30]))
def test_the_last_hour_is_healthy(payments: int, seed: int, days: int) -> None:
    history = tell(plan(payments, days, seed=seed))
    recent = [row for row in history.payments if row.created_at >= UNTIL - 60 * MINUTE]
    assert len(recent) >= 10
    # Still ten when the lab has been up for a quarter of an hour.
    assert sum(row.created_at >= UNTIL - 45 * MINUTE for row in recent) >= 10
    statuses = Counter(row.status for row in recent)
    assert set(statuses) <= {"succeeded", "failed"}
    assert statuses["failed"] <= max(2, len(recent) // 8)
    for row in recent:
        if row.completed_at is not None:
            assert row.completed_at - row.created_at < timedelta(seconds=5)
    failed = [row for row in history.payments if row.status == "failed"]
    assert all(declined_by_issuer(row.failure_code) for row in failed)


def test_the_mixture_is_that_of_a_shop(history: History) -> None:
    endings = Counter(story.ending for story in history.stories.payments)
    assert set(endings) == set(Ending)
    assert 0.85 < endings[Ending.SUCCEEDED] / 500 < 0.93
    assert 0.04 < endings[Ending.DECLINED] / 500 < 0.06
    currencies = Counter(row.currency for row in history.payments)
    assert set(currencies) == {"usd", "eur", "jpy", "kwd"}
    assert currencies.most_common(1)[0][0] == "usd"
    assert all(row.amount % 10 == 0 for row in history.payments if row.currency == "kwd")
    assert len({row.failure_code for row in history.payments}) > 4
    assert all(row.customer_email.endswith("@example.com") for row in history.payments)
    stripe = by_kind(history)
    assert stripe["payout"]
    assert stripe["dispute"]
    (balance,) = stripe["balance"].values()
    assert balance["available"][0]["amount"] >= 0
    assert balance["pending"][0]["amount"] > 0


def test_events_show_the_object_as_it_was(history: History) -> None:
    refunded = next(s for s in history.stories.payments if s.ending is Ending.REFUNDED)
    about = [
        event
        for event in history.events()
        if refunded.intent
        in (event["data"]["object"]["id"], event["data"]["object"].get("payment_intent"))
    ]
    assert about[0]["type"] == "payment_intent.created"
    assert {about[1]["type"], about[2]["type"]} == {"charge.succeeded", "payment_intent.succeeded"}
    created = about[0]["data"]["object"]
    assert (created["status"], created["latest_charge"]) == ("requires_payment_method", None)
    paid = next(e for e in about if e["type"] == "charge.succeeded")["data"]["object"]
    assert (paid["amount_refunded"], paid["refunded"]) == (0, False)
    back = [e for e in about if e["type"] == "charge.refunded"][-1]["data"]["object"]
    assert (back["amount_refunded"], back["refunded"]) == (refunded.amount, True)


def test_more_happens_by_day_than_by_night() -> None:
    history = tell(plan(2_000))
    hours = Counter(row.created_at.hour for row in history.payments)
    assert sum(hours[h] for h in range(13, 20)) > 2 * sum(hours[h] for h in range(1, 8))


def test_the_same_plan_tells_the_same_history(history: History) -> None:
    again = tell(plan())
    assert again.payments == history.payments
    assert again.redis_strings == history.redis_strings
    pairs = itertools.zip_longest(again.stripe_objects(), history.stripe_objects())
    assert all(one == other for one, other in pairs)
    assert tell(plan(seed=1)).payments != history.payments


def test_unique_ids(history: History) -> None:
    rows = history.payments
    for column in ("id", "order_id", "processor_ref", "idempotency_key"):
        assert len({getattr(row, column) for row in rows}) == len(rows)
    assert len({row.event_id for row in history.webhook_events}) == len(history.webhook_events)


def test_the_endpoint_is_told_unless_somebody_else_makes_it() -> None:
    url = "https://shop.example.com/webhooks/stripe"
    (endpoint,) = by_kind(tell(plan(5, webhook_endpoint=url)))["webhook_endpoint"].values()
    assert (endpoint["url"], endpoint["status"]) == (url, "enabled")
    assert not by_kind(tell(plan(5, webhook_endpoint="we_123")))["webhook_endpoint"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"since": timedelta(minutes=5)},
        {"payments": -1},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"payments": 1, "since": timedelta(days=1), "until": UNTIL}
    with pytest.raises(ValueError, match=r"aware|hour|cannot"):
        HistoryPlan(**{**good, **wrong})
