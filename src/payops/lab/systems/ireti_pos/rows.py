"""Ireti's rows: sales, PaymentIntents, refunds, the webhook log and the metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from payops.lab.history import Ending, History
from payops.lab.history.story import PaymentStory
from payops.lab.history.table import Table, at, major, named_uuid
from payops.lab.stripe.objects import derived_token

# What the endpoint is registered for: the code needs `charge.failed` to see a decline, it cannot
# store the status that `payment_intent.created` and `.payment_failed` bring, and `refund.created`
# would set a refund that succeeded back to pending.
LOGGED = (
    "payment_intent.succeeded",
    "payment_intent.canceled",
    "charge.failed",
    "charge.dispute.created",
)
_CARD = named_uuid("payment method", "ireti")


def no_key(order_id: str, payment_id: UUID) -> str:
    """Ireti sends no Idempotency-Key."""
    del order_id, payment_id
    return ""


def metadata(story: PaymentStory) -> dict[str, str]:
    """What the till puts on a PaymentIntent: the sale's text id, not its key."""
    return {"transaction_id": _sale_text(story), "user_id": "1"}


def refund_metadata(story: PaymentStory) -> dict[str, str]:
    """What the till puts on a refund."""
    del story
    return {"source": "ireti_pos", "refunded_by": "till"}


def _sale_text(story: PaymentStory) -> str:
    """YYYYMMDDHHMMSSffffff; two sales of one millisecond differ."""
    return f"{story.row_created_at:%Y%m%d%H%M%S%f}"[:17] + f"{story.payment_id.int % 1000:03d}"


def _intent_stored_at(story: PaymentStory) -> datetime:
    """The sale is written first, the payment's row once Stripe has answered."""
    asked = at(story.created)
    return asked + (asked - story.row_created_at)


def _received(story: PaymentStory, *types: str) -> datetime | None:
    return max((told.received_at for told in story.events if told.type in types), default=None)


def _status(story: PaymentStory) -> str:
    if story.ending.paid:
        return "succeeded"
    return "failed" if story.ending is Ending.DECLINED else "canceled"


def tables(history: History) -> Iterator[Table]:
    """Every row, in the order of the foreign keys."""
    payments = history.stories.payments
    began = at(history.plan.first - 86_400)
    yield Table(
        "auth_user",
        tuple(
            "id username first_name last_name email is_staff is_active is_superuser password "
            "date_joined".split()
        ),
        [(1, "till", "Tilda", "Ray", "tilda@shop.example", True, True, False, "!", began)],
    )
    yield Table(
        "payments_paymentmethod",
        tuple(
            "id name stripe_payment_method_type is_active sort_order created_at updated_at".split()
        ),
        [(_CARD, "Card", "card", True, 0, began, began)],
    )
    yield Table(
        "transaction_transaction",
        tuple(
            "id date_time transaction_dt transaction_id total_sale sub_total payment_type receipt "
            "products user_id".split()
        ),
        (
            (
                *(number, story.row_created_at, story.row_created_at, _sale_text(story)),
                *(major(story.amount), major(story.amount), "STRIPE", "Payment pending...", "", 1),
            )
            for number, story in enumerate(payments, start=1)
        ),
    )
    yield Table(
        "payments_paymenttransaction",
        tuple(
            "id amount currency status stripe_payment_intent_id stripe_client_secret stripe_status "
            "failure_reason metadata created_at updated_at processed_at payment_method_id "
            "transaction_id".split()
        ),
        (_payment(number, story) for number, story in enumerate(payments, start=1)),
    )
    yield Table(
        "payments_paymentrefund",
        tuple(
            "id amount currency reason status stripe_refund_id metadata created_at updated_at "
            "processed_at payment_transaction_id processed_by_id".split()
        ),
        (row for story in payments for row in _refunds(story)),
    )
    yield Table(
        "payments_paymentwebhook",
        tuple("id stripe_event_id event_type processed event_data created_at processed_at".split()),
        _webhooks(history),
    )
    yield Table(
        "payments_paymentmetric",
        tuple("id event_type amount currency metadata timestamp created_at".split()),
        (row for story in payments for row in _metrics(story)),
    )


def _payment(number: int, story: PaymentStory) -> tuple[object, ...]:
    # The till writes `usd`, the REST path `USD`.
    currency = story.currency.upper() if story.payment_id.int % 3 == 0 else story.currency
    stored = _intent_stored_at(story)
    changed = _received(story, *LOGGED) or stored
    return (
        *(story.payment_id, major(story.amount), currency, _status(story), story.intent),
        f"{story.intent}_secret_{derived_token(story.intent, 25)}",
        "requires_payment_method" if story.decline else _status(story),
        story.decline.message if story.decline else None,
        json.dumps({**metadata(story), "customer_email": story.shopper.email}),
        *(stored, max(stored, changed), _received(story, "payment_intent.succeeded")),
        *(_CARD, number),
    )


def _refunds(story: PaymentStory) -> Iterator[tuple[object, ...]]:
    for told in story.refunds:
        made = at(told.created)
        yield (
            *(told.row_id, major(told.amount), "USD", told.reason, "succeeded", told.id),
            json.dumps(refund_metadata(story)),
            *(made, made, made, story.payment_id, 1),
        )


def _webhooks(history: History) -> Iterator[tuple[object, ...]]:
    encode = msgspec.json.Encoder().encode
    for row, event in zip(history.webhook_events, history.events(), strict=True):
        if row.type in LOGGED:
            yield (
                *(named_uuid("webhook", row.event_id), row.event_id, row.type, True),
                *(encode(event).decode(), row.received_at, row.processed_at),
            )


def _metrics(story: PaymentStory) -> Iterator[tuple[object, ...]]:
    def metric(what: str, key: str, when: datetime, **kept: str) -> tuple[object, ...]:
        id_ = named_uuid(f"metric {what}", key)
        return id_, what, major(story.amount), "USD", json.dumps(kept), when, when

    yield metric("payment_attempt", story.intent, at(story.created))
    succeeded = _received(story, "payment_intent.succeeded")
    if succeeded is not None:
        kept = {"payment_intent_id": story.intent}
        yield metric("payment_success", story.intent, succeeded, **kept)
    for told in story.refunds:
        yield metric("refund_success", told.id, at(told.created), refund_id=told.id)
