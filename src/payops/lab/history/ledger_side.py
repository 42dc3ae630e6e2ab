"""The stories as the shop has them: rows of its three tables, and what it left in Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from payops.lab.history.endings import Ending
from payops.lab.history.plan import HistoryPlan
from payops.lab.history.story import Happening, PaymentStory

# Runbook 004: idempotency keys and webhook dedupe keys live for 24 h.
KEY_TTL_S = 86_400
BREAKER_STATE = "circuit_breaker:stripe:state"

_STATUSES = {
    Ending.SUCCEEDED: "succeeded",
    Ending.THREE_D_SECURE: "succeeded",
    Ending.DECLINED: "failed",
    Ending.AUTHENTICATION_FAILED: "failed",
    Ending.CANCELED: "canceled",
    Ending.ABANDONED: "canceled",
    Ending.REFUNDED: "refunded",
    Ending.PARTIALLY_REFUNDED: "partially_refunded",
    Ending.DISPUTED: "disputed",
}


@dataclass(frozen=True)
class PaymentRow:
    """A row of `payments`, column by column. `amount` in minor units, times aware UTC."""

    id: UUID
    order_id: str
    customer_id: str
    customer_email: str
    amount: int
    currency: str
    status: str
    processor_ref: str
    idempotency_key: str
    failure_code: str | None
    failure_message: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True)
class RefundRow:
    """A row of `refunds`, column by column. `amount` in minor units, times aware UTC."""

    id: UUID
    payment_id: UUID
    processor_ref: str
    amount: int
    currency: str
    status: str
    reason: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class WebhookEventRow:
    """A row of `webhook_events` but for its payload: that is `History.events()`, in this order."""

    event_id: str
    type: str
    status: str
    received_at: datetime
    processed_at: datetime
    attempts: int
    error: str | None


def payment_row(story: PaymentStory) -> PaymentRow:
    """The payment in the ledger, as the events left it."""
    completed = _received(story, "payment_intent.succeeded") if story.ending.paid else None
    decline = story.decline
    return PaymentRow(
        id=story.payment_id,
        order_id=story.order_id,
        customer_id=story.shopper.id,
        customer_email=story.shopper.email,
        amount=story.amount,
        currency=story.currency,
        status=_STATUSES[story.ending],
        processor_ref=story.intent,
        idempotency_key=story.idempotency_key,
        failure_code=decline.word if decline else None,
        failure_message=decline.message if decline else None,
        created_at=story.row_created_at,
        updated_at=_last_change(story),
        completed_at=completed,
    )


def refund_rows(story: PaymentStory) -> Iterator[RefundRow]:
    """The refunds of one payment in the ledger."""
    received = [told.received_at for told in story.events if told.type == "refund.created"]
    for told, at in zip(story.refunds, received, strict=True):
        yield RefundRow(
            id=told.row_id,
            payment_id=story.payment_id,
            processor_ref=told.id,
            amount=told.amount,
            currency=story.currency,
            status="succeeded",
            reason=told.reason,
            created_at=datetime.fromtimestamp(told.created, UTC),
            updated_at=at,
        )


def event_row(told: Happening) -> WebhookEventRow:
    """An event in the shop's log: received once, handled at the first attempt."""
    return WebhookEventRow(
        event_id=told.id,
        type=told.type,
        status="processed",
        received_at=told.received_at,
        processed_at=told.processed_at,
        attempts=1,
        error=None,
    )


def redis_strings(
    plan: HistoryPlan, payments: Iterable[PaymentStory], events: Iterable[Happening]
) -> dict[str, tuple[str, int | None]]:
    """What a healthy shop has in Redis at `until`: key -> value, seconds left (None: no limit).

    The breaker is closed, nothing waits in a queue; keys that would have expired are not there.
    """
    strings: dict[str, tuple[str, int | None]] = {BREAKER_STATE: ("closed", None)}
    for story in payments:
        left = _seconds_left(plan, story.row_created_at)
        if left > 0:
            strings[f"idempotency:{story.idempotency_key}"] = (str(story.payment_id), left)
    for told in events:
        left = _seconds_left(plan, told.received_at)
        if left > 0:
            strings[f"stripe_event:{told.id}"] = ("1", left)
    return strings


def _seconds_left(plan: HistoryPlan, set_at: datetime) -> int:
    return int((set_at + timedelta(seconds=KEY_TTL_S) - plan.until).total_seconds())


def _received(story: PaymentStory, event_type: str) -> datetime:
    return next(told.received_at for told in story.events if told.type == event_type)


def _last_change(story: PaymentStory) -> datetime:
    """When the last event arrived that says something new of the payment itself."""
    telling = (story.ending.event, "charge.refunded", "charge.dispute.created")
    return max(told.received_at for told in story.events if told.type in telling)
