"""What each event of Stripe's means for the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from payops.lab.merchant import ledger
from payops.lab.merchant.ledger import Connection

StripeObject = dict[str, Any]


class UnknownPaymentError(Exception):
    """An event about a payment that bears our mark, but that the ledger does not have."""


def apply(connection: Connection, event: StripeObject, *, forward_only: bool = True) -> None:
    """Move the ledger as `event` says; events that mean nothing to the shop change nothing.

    A shop that does not look which event is the newer one is `forward_only=False`.

    Raises UnknownPaymentError, so that the event is kept as failed and delivered again.
    """
    handler = _HANDLERS.get(event["type"])
    if handler is None:
        return
    about: StripeObject = event["data"]["object"]
    payment_id = _payment(connection, about)
    if payment_id is None:
        return
    if not forward_only and about["object"] == "payment_intent":
        ledger.overwrite(connection, payment_id, event["type"].rpartition(".")[2])
    handler(connection, payment_id, about)


def _payment(connection: Connection, about: StripeObject) -> UUID | None:
    """The payment that an object belongs to; None when it is none of this shop's."""
    intent = about["id"] if about["object"] == "payment_intent" else about.get("payment_intent")
    marked = _uuid((about.get("metadata") or {}).get("payment_id"))
    found = ledger.find(connection, intent, marked) if intent else None
    if found is None and marked is not None:
        raise UnknownPaymentError(f"no payment {marked} for {intent} in the ledger")
    return found


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _moves_to(status: str) -> Callable[[Connection, UUID, StripeObject], None]:
    def handler(connection: Connection, payment_id: UUID, intent: StripeObject) -> None:
        ledger.move(connection, payment_id, status, intent=intent["id"])

    return handler


def _failed(connection: Connection, payment_id: UUID, intent: StripeObject) -> None:
    error = intent.get("last_payment_error") or {}
    ledger.move(
        connection,
        payment_id,
        "failed",
        intent=intent["id"],
        failure_code=error.get("decline_code") or error.get("code"),
        failure_message=error.get("message"),
    )


def _refunded(connection: Connection, payment_id: UUID, charge: StripeObject) -> None:
    whole = charge["amount_refunded"] >= charge["amount"]
    ledger.move(connection, payment_id, "refunded" if whole else "partially_refunded")


def _disputed(connection: Connection, payment_id: UUID, _: StripeObject) -> None:
    ledger.move(connection, payment_id, "disputed")


_HANDLERS: dict[str, Callable[[Connection, UUID, StripeObject], None]] = {
    "payment_intent.processing": _moves_to("processing"),
    "payment_intent.requires_action": _moves_to("requires_action"),
    "payment_intent.succeeded": _moves_to("succeeded"),
    "payment_intent.canceled": _moves_to("canceled"),
    "payment_intent.payment_failed": _failed,
    "charge.refunded": _refunded,
    "charge.dispute.created": _disputed,
    "refund.created": ledger.record_refund,
    "refund.updated": ledger.record_refund,
    "refund.failed": ledger.record_refund,
    "charge.refund.updated": ledger.record_refund,
}
