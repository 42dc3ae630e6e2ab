"""Stories for tests of traces: made by hand, or of a reconciliation's made-up merchant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import structs

from payops.config.ledger import Ledger
from payops.sources.lookup import NamedRow
from payops.sources.stripe_payment import (
    ChargeObject,
    DisputeObject,
    Intent,
    RefundObject,
    SessionObject,
    StoryEvent,
)
from payops.trace.story import LedgerRow, Story
from reconcile.merchant import NOW, PAYMENTS, REFUND_LEDGER, Merchant, ledger

REFERENCES = {"local_id": "payment_id", "order_id": "order_id"}
BOOKS = {
    "payments": ledger(PAYMENTS, references=REFERENCES),
    "refunds": ledger(REFUND_LEDGER),
}
AT = int((NOW - timedelta(hours=5)).timestamp())


def intent(**changes: Any) -> Intent:
    """A PaymentIntent over 19.99 USD that succeeded five hours ago."""
    base: dict[str, Any] = {
        "id": "pi_1",
        "amount": 1999,
        "created": AT,
        "currency": "usd",
        "status": "succeeded",
        "livemode": True,
        "amount_received": 1999,
        "latest_charge": "ch_1",
        "metadata": {"payment_id": "row-1", "order_id": "order-1"},
    }
    return msgspec.convert({**base, **changes}, Intent)


def charge(**changes: Any) -> ChargeObject:
    """Its charge, a second later."""
    base: dict[str, Any] = {
        "id": "ch_1",
        "amount": 1999,
        "created": AT + 1,
        "currency": "usd",
        "status": "succeeded",
        "amount_captured": 1999,
        "payment_intent": "pi_1",
    }
    return msgspec.convert({**base, **changes}, ChargeObject)


def refund(**changes: Any) -> RefundObject:
    """A refund of 5.00 USD, an hour later."""
    base = {"id": "re_1", "amount": 500, "created": AT + 3600, "currency": "usd"}
    return msgspec.convert({**base, "status": "succeeded", **changes}, RefundObject)


def event(type_: str = "payment_intent.succeeded", **changes: Any) -> StoryEvent:
    """An event of the intent, in the second of the charge."""
    base: dict[str, Any] = {
        "id": "evt_1",
        "type": type_,
        "created": AT + 1,
        "livemode": True,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}},
    }
    return msgspec.convert({**base, **changes}, StoryEvent)


def row(book: Ledger | None = None, name: str = "payments", **changes: Any) -> LedgerRow:
    """The ledger's row of it, made just before, and completed two seconds after."""
    base: dict[str, Any] = dict.fromkeys(NamedRow.__dataclass_fields__)
    base |= {
        "key": "row-1",
        "status": "succeeded",
        "amount": "1999",
        "currency": "usd",
        "created_us": AT * 1_000_000 - 250_000,
        "updated_us": (AT + 2) * 1_000_000,
        "processor_ref": "pi_1",
        "order_id": "order-1",
    }
    return LedgerRow(name, book or BOOKS[name], NamedRow(**{**base, **changes}))


def story(**changes: Any) -> Story:
    """A payment on which every side agrees, seen from every side."""
    base: dict[str, Any] = {
        "now": NOW,
        "grace": timedelta(minutes=10),
        "event_within": timedelta(seconds=30),
        "livemode": True,
        "intent": intent(),
        "stripe_seen": True,
        "ledger_seen": True,
        "charges": (charge(),),
        "refunds_seen": True,
        "rows": (row(),),
        "keeps_refunds": True,
        "events": (event(),),
        "events_from": ((at(-60), at(7200)),),
        "meta_keys": frozenset(REFERENCES.values()),
    }
    return Story(**{**base, **changes})


def at(seconds: float) -> datetime:
    """So many seconds after the intent was made."""
    return datetime.fromtimestamp(AT, UTC) + timedelta(seconds=seconds)


# ── of the merchant ──────────────────────────────────────────────────────────────────────────────


def stories_of(merchant: Merchant) -> Iterator[Story]:
    """Each payment of the merchant's as a trace would gather it: by intents, then rows alone."""
    intents = {one["id"]: one for one in merchant.rows["intents"]}
    taken: set[str] = set()
    for id_ in intents:
        found = _of_intent(merchant, intents, id_)
        taken |= {one.key for one in found.rows}
        yield found
    for one in merchant.rows["ledger-payments"]:
        if one["key"] not in taken:
            reference = one.get("processor_ref") or ""
            yield story(
                intent=None,
                charges=(),
                events=(),
                rows=(_row(one),),
                absent=reference,
            )


def _of_intent(merchant: Merchant, intents: dict[str, dict[str, Any]], id_: str) -> Story:
    told = intents[id_]
    rows = [one for one in merchant.rows["ledger-payments"] if one.get("processor_ref") == id_]
    if not rows:
        rows = [
            one
            for one in merchant.rows["ledger-payments"]
            if one["key"] == told["meta_local"] and not one.get("processor_ref")
        ]
    keys = {one["key"] for one in rows}
    orders = {one["order_id"] for one in rows} | {told["meta_order"]}
    siblings = [
        one
        for one in merchant.rows["ledger-payments"]
        if one["order_id"] in orders and one["key"] not in keys
    ]
    refunds = [one for one in merchant.rows["refunds"] if one["payment_intent"] == id_]
    ids = {one["id"] for one in refunds}
    return story(
        intent=_intent(told),
        charges=_charges(told),
        events=(),
        refunds=tuple(
            refund(
                id=one["id"],
                amount=one["amount"],
                created=one["created_us"] // 1_000_000,
                currency=one["currency"],
                status=one["status"],
            )
            for one in refunds
        ),
        disputes=tuple(
            msgspec.convert(
                {
                    **{key: one[key] for key in ("id", "amount", "currency", "status")},
                    "created": one["created_us"] // 1_000_000,
                },
                DisputeObject,
            )
            for one in merchant.rows["disputes"]
            if one["payment_intent"] == id_
        ),
        rows=tuple(map(_row, rows)),
        sibling_rows=tuple(map(_row, siblings)),
        siblings=tuple(
            structs.replace(_intent(one), latest_charge=next(iter(_charges(one)), None))
            for other, one in intents.items()
            if other != id_
        ),
        refund_rows=tuple(
            _row(one, "refunds")
            for one in merchant.rows["ledger-refunds"]
            if one["payment_key"] in keys or one["processor_ref"] in ids
        ),
    )


def _intent(told: dict[str, Any]) -> Intent:
    return intent(
        id=told["id"],
        amount=told["amount"],
        created=told["created_us"] // 1_000_000,
        currency=told["currency"],
        status=told["status"],
        livemode=told["livemode"] == "true",
        amount_received=told["amount_received"],
        latest_charge=told["charge"],
        metadata={
            name: value
            for name, value in (
                ("payment_id", told["meta_local"]),
                ("order_id", told["meta_order"]),
            )
            if value
        },
    )


def _charges(told: dict[str, Any]) -> tuple[ChargeObject, ...]:
    if not told["charge"] and not told.get("charge_status"):
        return ()
    created = told["charge_created_us"] or told["created_us"] + 1_000_000
    return (
        charge(
            id=told["charge"] or f"ch_of_{told['id']}",
            amount=told["amount"],
            created=created // 1_000_000,
            currency=told["currency"],
            status=told["charge_status"],
            amount_captured=told["amount_captured"],
            amount_refunded=told["amount_refunded"] or 0,
            disputed=told["disputed"] == "true",
            payment_intent=told["id"],
        ),
    )


def _row(told: dict[str, Any], name: str = "payments") -> LedgerRow:
    blank: dict[str, Any] = dict.fromkeys(NamedRow.__dataclass_fields__)
    return LedgerRow(name, BOOKS[name], NamedRow(**{**blank, **told}))


def session(**changes: Any) -> SessionObject:
    """A Checkout Session that was paid."""
    base: dict[str, Any] = {
        "id": "cs_1",
        "created": AT - 60,
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_1",
        "amount_total": 1999,
        "currency": "usd",
    }
    return msgspec.convert({**base, **changes}, SessionObject)
