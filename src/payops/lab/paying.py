"""What Stripe has of a payment that a scenario adds: the objects, and the events that told of it.

Pure; what is told fits the row: who paid how much when, and why the bank said no.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payops.lab.history.shop import DECLINES, SETTLEMENT_CURRENCY, Decline, exchange_rate, fee
from payops.lab.history.shop import settled as in_cents
from payops.lab.stripe import objects
from payops.lab.stripe.objects import StripeObject, new_id

PAID, DECLINED, WAITING = "succeeded", "requires_payment_method", "requires_action"
_EVENTS = {
    PAID: ("charge.succeeded", "payment_intent.succeeded"),
    DECLINED: ("charge.failed", "payment_intent.payment_failed"),
    WAITING: ("payment_intent.requires_action",),
}
_SETTLED_AFTER_S = 2 * 86_400


@dataclass(frozen=True)
class AtStripe:
    """Objects as they are now, and the events in the order in which they were made."""

    objects: tuple[StripeObject, ...]
    events: tuple[StripeObject, ...]


def at_stripe(
    row: Mapping[str, Any],
    status: str,
    rng: random.Random,
    *,
    livemode: bool,
    api_version: str,
) -> AtStripe:
    """All of the payment of a `reference` row, whose PaymentIntent has this status."""
    created = int(row["created_at"].timestamp())
    ended = row.get("completed_at")
    over = max(created, int(ended.timestamp())) if isinstance(ended, datetime) else created
    charge, line = _charged(row, status, over, rng, livemode=livemode)
    intent = _intent(row, status, created, charge, livemode=livemode)
    begun = _intent(row, DECLINED, created, None, livemode=livemode)
    about = [("payment_intent.created", begun, created)]
    for type_ in _EVENTS.get(status, ()):
        told = charge if type_.startswith("charge.") and charge else intent
        about.append((type_, told, over))
    events = tuple(
        objects.event(
            id=new_id("evt", rng),
            type=type_,
            data_object=told,
            created=at,
            livemode=livemode,
            api_version=api_version,
        )
        for type_, told, at in about
    )
    return AtStripe(tuple(one for one in (intent, charge, line) if one is not None), events)


def _intent(
    row: Mapping[str, Any],
    status: str,
    created: int,
    charge: StripeObject | None,
    *,
    livemode: bool,
) -> StripeObject:
    failed = charge is not None and charge["status"] == "failed"
    return objects.payment_intent(
        id=row["processor_ref"],
        amount=row["amount"],
        currency=row["currency"],
        status=status,
        created=created,
        livemode=livemode,
        customer=row["customer_id"],
        latest_charge=charge["id"] if charge else None,
        metadata=_metadata(row),
        last_payment_error=_error(row, charge["id"]) if charge and failed else None,
    )


def _charged(
    row: Mapping[str, Any], status: str, over: int, rng: random.Random, *, livemode: bool
) -> tuple[StripeObject | None, StripeObject | None]:
    """The charge, and its line in the account's books; of what was never charged there is none."""
    if status not in (PAID, DECLINED):
        return None, None
    paid, currency = status == PAID, row["currency"]
    decline = _decline(row)
    line = None
    name = new_id("ch", rng)
    if paid:
        cents = in_cents(row["amount"], currency)
        line = objects.balance_transaction(
            id=new_id("txn", rng),
            amount=cents,
            currency=SETTLEMENT_CURRENCY,
            created=over,
            type="charge",
            source=name,
            fee=fee(cents, currency),
            status="pending",
            available_on=over + _SETTLED_AFTER_S,
            reporting_category="charge",
            exchange_rate=exchange_rate(currency),
        )
    charge = objects.charge(
        id=name,
        amount=row["amount"],
        currency=currency,
        status="succeeded" if paid else "failed",
        created=over,
        livemode=livemode,
        payment_intent=row["processor_ref"],
        customer=row["customer_id"],
        balance_transaction=line["id"] if line else None,
        metadata=_metadata(row),
        failure_code=None if paid else decline.code,
        failure_message=None if paid else decline.message,
        outcome=None if paid else _declined(decline),
        receipt_email=row["customer_email"],
    )
    return charge, line


def _metadata(row: Mapping[str, Any]) -> dict[str, str]:
    return {"order_id": row["order_id"], "payment_id": row["id"]}


def _decline(row: Mapping[str, Any]) -> Decline:
    """Stripe's words for what the row says."""
    word = row.get("failure_code") or "generic_decline"
    message = row.get("failure_message") or "Your card was declined."
    known = next((one for one in DECLINES if one.word == word), None)
    return known or Decline("card_declined", message, word)


def _error(row: Mapping[str, Any], charge: str) -> StripeObject:
    decline = _decline(row)
    return objects.card_error(
        code=decline.code,
        message=decline.message,
        decline_code=decline.decline_code,
        charge=charge,
    )


def _declined(decline: Decline) -> StripeObject:
    return objects.outcome(
        network_status="declined_by_network",
        type="issuer_declined",
        reason=decline.word,
        seller_message=f"The bank returned the decline code `{decline.word}`.",
        risk_score=20,
    )
