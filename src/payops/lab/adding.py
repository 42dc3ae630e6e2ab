"""Payments and other objects that a scenario adds to the `reference` shop, and takes away again.

A row is a copy of a recent payment with some columns changed; its PaymentIntent is told to Stripe,
so that both sides agree. `take_away` undoes all of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from payops.errors import LabError
from payops.lab.scenario import Lab
from payops.lab.shop import mapping, put_back, remove_added
from payops.lab.stripe import objects
from payops.lab.stripe.objects import StripeObject, new_id

Columns = Mapping[str, object]
_SHOPPERS = 50


def add_payments(
    lab: Lab, count: int, columns: Callable[[int], Columns], *, minutes: float, stripe: str = ""
) -> None:
    """`count` payments, spread over the last `minutes`; `columns` gives what is changed in each.

    Each is an order of its own, by the next of the recent shoppers. `stripe` is the status of the
    PaymentIntent; empty, and Stripe was never asked.
    """
    recent = _recent(lab)
    rng = random.Random(f"{lab.info.seed} {lab.scenario} added")
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        id_ = str(UUID(int=rng.getrandbits(128), version=4))
        created = now - timedelta(minutes=minutes * (number + 0.5) / count)
        row = {
            **recent[number % len(recent)],
            "id": id_,
            "order_id": f"order-{lab.scenario}-{number + 1}",
            "idempotency_key": f"pay-{id_}",
            "processor_ref": new_id("pi", rng) if stripe else None,
            "failure_code": None,
            "failure_message": None,
            "created_at": created,
            "completed_at": created + timedelta(seconds=1) if stripe == "succeeded" else None,
            **columns(number),
        }
        rows.append({**row, "updated_at": row["completed_at"] or row["created_at"]})
    told = [_intent(lab, row, stripe) for row in rows] if stripe else []
    lab.remember(added=[row["id"] for row in rows], objects=[one["id"] for one in told])
    put_back(lab, mapping(lab).payments.table, [_json(row) for row in rows])
    if told:
        lab.stripe.put("/objects", told)


def tell_stripe(lab: Lab, told: Sequence[StripeObject]) -> None:
    """Objects that Stripe has from now on, until `take_away`."""
    kept = lab.recall().get("objects", [])
    lab.remember(objects=[*kept, *(one["id"] for one in told)])
    lab.stripe.put("/objects", list(told))


def take_away(lab: Lab) -> None:
    """Remove the payments and the objects that were added."""
    kept = lab.recall()
    if kept.get("objects"):
        lab.stripe.put("/objects", {"objects": [], "remove": kept["objects"]})
    if kept.get("added"):
        remove_added(lab)


def livemode(lab: Lab) -> bool:
    """Whether the shop's payments are live ones."""
    return lab.info.environment == "production"


def _recent(lab: Lab) -> list[dict[str, Any]]:
    """The newest paid payment of each of the shop's last customers."""
    found = lab.postgres.execute(
        "SELECT to_jsonb(p) FROM (SELECT DISTINCT ON (customer_id) * FROM payments "
        "WHERE status = 'succeeded' AND customer_id IS NOT NULL "
        "ORDER BY customer_id, created_at DESC) AS p ORDER BY p.created_at DESC LIMIT %s",
        (_SHOPPERS,),
    ).fetchall()
    if not found:
        raise LabError("the lab has no payments to copy", hint="start one with more payments")
    return [row[0] for row in found]


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _intent(lab: Lab, row: Mapping[str, Any], status: str) -> StripeObject:
    return objects.payment_intent(
        id=row["processor_ref"],
        amount=row["amount"],
        currency=row["currency"],
        status=status,
        created=int(row["created_at"].timestamp()),
        livemode=livemode(lab),
        customer=row["customer_id"],
        metadata={"order_id": row["order_id"], "payment_id": row["id"]},
    )
