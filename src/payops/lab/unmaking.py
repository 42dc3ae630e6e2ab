"""Payments that were never made: gone from the ledger, from Stripe, and from what heard of them.

For the `reference` shop, whose three tables and Redis keys are known here; `make_again` restores
every bit of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payops.lab.losing import dedupe_keys, payment_of
from payops.lab.running import Lab
from payops.lab.shop import (
    mapping,
    put_back,
    put_back_strings,
    remove_payments,
    rows_of,
    strings_with_expiry,
)
from payops.lab.stripe.objects import StripeObject

_LOG = "webhook_events"


def unmake(lab: Lab, payments: Mapping[str, str | None]) -> None:
    """Have these payments (key: PaymentIntent, None where Stripe was never asked) never be."""
    table = mapping(lab).payments.table
    rows = rows_of(lab, table, "id", list(payments))
    intents = {intent for intent in payments.values() if intent}
    every: list[StripeObject] = lab.stripe.get("/objects?type=event&limit=1000000")["objects"]
    events = [event for event in every if payment_of(event) in intents]
    names = [event["id"] for event in events]
    asked = [f"idempotency:{row['idempotency_key']}" for row in rows if row["idempotency_key"]]
    keys = [*asked, *dedupe_keys(lab, names)]
    lab.remember(
        unmade=rows,
        unmade_log=rows_of(lab, _LOG, "event_id", names),
        unmade_objects=[*_objects(lab, intents), *events],
        unmade_keys=strings_with_expiry(lab, keys),
    )
    with lab.postgres.transaction():
        lab.postgres.execute("DELETE FROM webhook_events WHERE event_id = ANY(%s)", (names,))
        remove_payments(lab, list(payments))
    lab.redis.delete(*keys)
    gone = [one["id"] for one in lab.recall()["unmade_objects"]]
    lab.stripe.put("/objects", {"objects": [], "remove": gone})


def make_again(lab: Lab) -> None:
    """Restore what `unmake` took; nothing happens where it never did."""
    kept: dict[str, Any] = lab.recall()
    if "unmade" not in kept:
        return
    lab.stripe.put("/objects", kept["unmade_objects"])
    put_back_strings(lab, kept["unmade_keys"])
    with lab.postgres.transaction():
        put_back(lab, mapping(lab).payments.table, kept["unmade"])
        put_back(lab, _LOG, kept["unmade_log"])


def _objects(lab: Lab, intents: set[str]) -> list[StripeObject]:
    """The PaymentIntents, with what was charged for them and how that stands in the books."""
    found: list[StripeObject] = []
    for kind in ("payment_intent", "charge", "balance_transaction"):
        every = lab.stripe.get(f"/objects?type={kind}&limit=1000000")["objects"]
        named = intents | {one["id"] for one in found}
        found += [
            one
            for one in every
            if one["id"] in intents
            or one.get("payment_intent") in intents
            or (kind == "balance_transaction" and one["source"] in named)
        ]
    return found
