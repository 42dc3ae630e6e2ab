"""The shop's webhook endpoint has not answered for 40 minutes.

Stripe's events pile up undelivered (`pending_webhooks` above 0) and, as the shop learns of the
money by its webhooks, paid orders are still pending; the API, the ledger and Redis are well
(runbook 004, scenario 5; runbook 002, scenario B). In a quiet shop it is down for longer than 40
minutes: until a dozen paid orders have waited for more than 30.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.shop import (
    mark_delivered,
    mark_undelivered,
    put_back,
    put_back_strings,
    rows_of,
    strings_with_expiry,
)

# By the events that tell of it: what the ledger would not know.
_PAID = "payment_intent.succeeded"
_ENDED_AT_THE_BANK = {"payment_intent.canceled", "payment_intent.payment_failed"}
_AFTERWARDS = ("refund.", "charge.refunded", "charge.dispute.")


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(faults=lab.merchant.get("/state")["faults"])
    lab.merchant.put("/faults", {"webhook": "timeout"})
    missed = [
        row[0]
        for row in lab.postgres.execute(
            """SELECT to_jsonb(e) FROM webhook_events e WHERE received_at >= least(
                 now() - interval '40 minutes',
                 (SELECT min(created_at) FROM (
                    SELECT created_at FROM payments
                    WHERE status = 'succeeded' AND created_at < now() - interval '31 minutes'
                    ORDER BY created_at DESC LIMIT 12) AS waiting))
               ORDER BY id"""
        ).fetchall()
    ]
    events = [row["event_id"] for row in missed]
    told = _told(missed)
    refunds = [
        row["payload"]["data"]["object"]["id"] for row in missed if row["type"] == "refund.created"
    ]
    keys = [f"stripe_event:{event}" for event in events]
    lab.remember(
        payments=rows_of(lab, "payments", "processor_ref", list(told)),
        refunds=rows_of(lab, "refunds", "processor_ref", refunds),
        events=missed,
        keys=strings_with_expiry(lab, keys),
    )
    with lab.postgres.transaction():
        lab.postgres.execute("DELETE FROM webhook_events WHERE event_id = ANY(%s)", (events,))
        lab.postgres.execute("DELETE FROM refunds WHERE processor_ref = ANY(%s)", (refunds,))
        _forget(lab, told)
    if keys:
        lab.redis.delete(*keys)
    mark_undelivered(lab, events)


def _told(missed: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The types of the events that were missed, by the PaymentIntent they are about."""
    told: dict[str, set[str]] = defaultdict(set)
    for row in missed:
        about = row["payload"]["data"]["object"]
        intent = about["id"] if about["object"] == "payment_intent" else about.get("payment_intent")
        if intent:
            told[intent].add(row["type"])
    return told


def _forget(lab: Lab, told: dict[str, set[str]]) -> None:
    """Set the payments back to what the ledger knew without these events."""
    paid = [intent for intent, types in told.items() if _PAID in types]
    afterwards = [
        intent
        for intent, types in told.items()
        if _PAID not in types and any(one.startswith(_AFTERWARDS) for one in types)
    ]
    at_the_bank = [intent for intent, types in told.items() if types & _ENDED_AT_THE_BANK]
    # What Stripe's own answer says is known at once; success comes by webhook alone.
    lab.postgres.execute(
        "UPDATE payments SET status = 'pending', completed_at = NULL, "
        "updated_at = created_at + interval '1 second' WHERE processor_ref = ANY(%s)",
        (paid,),
    )
    lab.postgres.execute(
        "UPDATE payments p SET status = CASE WHEN EXISTS (SELECT FROM refunds r "
        "WHERE r.payment_id = p.id) THEN 'partially_refunded' ELSE 'succeeded' END, "
        "updated_at = completed_at WHERE processor_ref = ANY(%s)",
        (afterwards,),
    )
    lab.postgres.execute(
        "UPDATE payments SET status = 'requires_action', failure_code = NULL, "
        "failure_message = NULL, updated_at = created_at + interval '2 seconds' "
        "WHERE processor_ref = ANY(%s) AND (status = 'canceled' "
        "OR failure_code = 'payment_intent_authentication_failure')",
        (at_the_bank,),
    )


def heal(lab: Lab) -> None:
    kept = lab.recall()
    mark_delivered(lab)
    put_back_strings(lab, kept.get("keys", {}))
    with lab.postgres.transaction():
        put_back(lab, "payments", kept.get("payments", []))
        put_back(lab, "refunds", kept.get("refunds", []))
        put_back(lab, "webhook_events", kept.get("events", []))
    if "faults" in kept:
        lab.merchant.put("/faults", kept["faults"])


SCENARIO = Scenario(
    title="The webhook endpoint does not answer",
    runbook="004, scenario 5; 002, scenario B",
    breaks="the shop's webhook endpoint leaves every delivery without an answer",
    expected={
        "payments.stuck-pending": Status.CRIT,
        "webhooks.backlog": Status.CRIT,
    },
    inject=inject,
    heal=heal,
    changes=frozenset({"payments"}),
)
