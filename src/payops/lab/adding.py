"""Payments and other objects that a scenario adds, and takes away again.

A row is a copy of a recent payment of the `reference` shop with some columns changed; what Stripe
has of it is told to Stripe, and what Stripe told of it stands in the shop's log, so that both sides
agree. `take_away` undoes all of it.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from payops.errors import LabError
from payops.lab.paying import PAID, AtStripe, at_stripe
from payops.lab.scenario import Lab
from payops.lab.shop import mapping, put_back, put_back_strings, remove_added
from payops.lab.stripe.objects import StripeObject, new_id

Columns = Mapping[str, object]
_SHOPPERS = 50
# Keys of payments and of events live for a day (runbook 004).
_KEY_TTL_S = 86_400


def add_payments(
    lab: Lab, count: int, columns: Callable[[int], Columns], *, minutes: float, stripe: str = ""
) -> None:
    """`count` payments, spread over the last `minutes`; `columns` gives what is changed in each.

    Each is an order of its own, by the next of the recent shoppers. `stripe` is the status of the
    PaymentIntent; empty, and Stripe was never asked, as it was not of a row whose `processor_ref`
    is changed to None.
    """
    recent = _recent(lab)
    rng = random.Random(f"{lab.info.seed} {lab.scenario} added")
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        id_ = str(UUID(int=rng.getrandbits(128), version=4))
        row = {
            **recent[number % len(recent)],
            "id": id_,
            "order_id": f"order-{lab.scenario}-{number + 1}",
            "idempotency_key": f"pay-{id_}",
            "processor_ref": new_id("pi", rng) if stripe else None,
            "failure_code": None,
            "failure_message": None,
            "created_at": now - timedelta(minutes=minutes * (number + 0.5) / count),
            **columns(number),
        }
        paid = stripe == PAID and row["processor_ref"]
        row["completed_at"] = row["created_at"] + timedelta(seconds=1) if paid else None
        rows.append({**row, "updated_at": row["completed_at"] or row["created_at"]})
    told = [_told(lab, row, stripe, rng) for row in rows if row["processor_ref"]]
    # Theirs alone: another scenario that took them would restore what is to be gone.
    held = [row["processor_ref"] for row in rows if row["processor_ref"]]
    lab.remember(added=[row["id"] for row in rows], held=held)
    put_back(lab, mapping(lab).payments.table, [_json(row) for row in rows])
    keys = [(f"idempotency:{row['idempotency_key']}", row["id"], row["created_at"]) for row in rows]
    _set_keys(lab, [(key, value, at.timestamp()) for key, value, at in keys])
    if told:
        tell_stripe(lab, [one for each in told for one in each.objects])
        hear(lab, [event for each in told for event in each.events])


def tell_stripe(lab: Lab, told: Sequence[StripeObject]) -> None:
    """Objects that Stripe has from now on, until `take_away`."""
    kept = lab.recall().get("objects", [])
    lab.remember(objects=[*kept, *(one["id"] for one in told)])
    lab.stripe.put("/objects", list(told))


def hear(lab: Lab, events: Sequence[StripeObject]) -> None:
    """Events that Stripe has made, and the application has answered: known by their keys, and in
    the log of the `reference` shop handled. What they tell is for the caller to do, or not."""
    kept = lab.recall().get("held", [])
    lab.remember(held=[*kept, *(event["id"] for event in events)])
    tell_stripe(lab, events)
    if lab.system.dedupe:
        _set_keys(
            lab,
            [(lab.system.dedupe.format(event=one["id"]), "1", one["created"]) for one in events],
        )
    if lab.system.name != "reference":
        return
    lab.remember(logged=[*lab.recall().get("logged", ()), *(event["id"] for event in events)])
    with lab.postgres.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO webhook_events (event_id, type, status, received_at, processed_at, "
            "attempts, payload) VALUES (%(id)s, %(type)s, 'processed', to_timestamp(%(created)s) "
            "+ interval '1 second', to_timestamp(%(created)s) + interval '1.3 seconds', 1, "
            "%(payload)s)",
            [{**event, "payload": json.dumps(event)} for event in events],
        )


def take_away(lab: Lab) -> None:
    """Remove the payments, the objects and what was heard of them."""
    kept = lab.recall()
    if kept.get("objects"):
        lab.stripe.put("/objects", {"objects": [], "remove": kept["objects"]})
    if kept.get("logged"):
        lab.postgres.execute(
            "DELETE FROM webhook_events WHERE event_id = ANY(%s)", (kept["logged"],)
        )
    if kept.get("added_keys"):
        lab.redis.delete(*kept["added_keys"])
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


def _told(lab: Lab, row: Mapping[str, Any], status: str, rng: random.Random) -> AtStripe:
    return at_stripe(row, status, rng, livemode=livemode(lab), api_version=lab.system.api_version)


def _set_keys(lab: Lab, keys: Sequence[tuple[str, str, float]]) -> None:
    """Keys with their values, each until a day after its time (epoch seconds). A Redis that is
    down has none of them, and nobody waits for it."""
    import redis

    made = {
        key: [value, int(1_000 * (at + _KEY_TTL_S))]
        for key, value, at in keys
        if at + _KEY_TTL_S > time.time()
    }
    before = lab.recall().get("added_keys", [])
    lab.remember(added_keys=[*before, *made])
    try:
        put_back_strings(lab, made)
    except redis.RedisError:
        lab.remember(added_keys=before)
