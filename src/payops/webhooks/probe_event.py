"""The event that a probe sends: genuine in its form, and of a type that moves nothing."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ID_PREFIX = "evt_payops_probe_"
# Families by which ledgers are kept somewhere: what they tell is money or who owes it.
_MOVING = (
    "account.",
    "application_fee.",
    "balance.",
    "charge.",
    "checkout.",
    "credit_note.",
    "customer.",
    "invoice",
    "issuing",
    "mandate.",
    "order.",
    "payment_",
    "payout.",
    "refund.",
    "setup_intent.",
    "source.",
    "subscription_schedule.",
    "topup.",
    "transfer.",
    "treasury.",
)
# Characters of two, three and four bytes: what re-encodes a body shows on them.
_TEXT = "payops probe, no action needed: Zoë's café, 東京, ☕, 🧾 </ok> & done"


def may_move(event_type: str, needs: Collection[str]) -> bool:
    """Whether a ledger may be kept by events of this type, so that no probe may send it.

    >>> may_move("product.updated", ()), may_move("charge.refunded", ())
    (False, True)
    """
    return event_type in needs or "*" in needs or event_type.startswith(_MOVING)


def probe_event(event_type: str, now: datetime, *, livemode: bool) -> dict[str, object]:
    """A new event with an id of its own, so that no dedupe key meets another probe's."""
    created = int(now.timestamp())
    kind = event_type.rpartition(".")[0] or event_type
    return {
        "id": ID_PREFIX + secrets.token_hex(6),
        "object": "event",
        "api_version": None,
        "created": created,
        "data": {
            "object": {
                "id": "payops_probe",
                "object": kind,
                "active": False,
                "created": created,
                "description": _TEXT,
                "livemode": livemode,
                "metadata": {"payops": "probe"},
                "name": "payops probe",
                "updated": created,
            }
        },
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }
