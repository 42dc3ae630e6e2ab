"""The ledger as it would be without certain events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from payops.lab.scenario import Lab
from payops.lab.shop import mapping, rows_of, set_columns

Event = dict[str, Any]

# By the events that tell of it: what the ledger of the reference shop would not know.
_PAID = "payment_intent.succeeded"
_ENDED_AT_THE_BANK = {"payment_intent.canceled", "payment_intent.payment_failed"}
_MAY_COME_AGAIN = {"charge.refunded"}
_AFTERWARDS = ("refund.", "charge.refunded", "charge.dispute.")


def known_of(lab: Lab, events: Sequence[Event]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the payments that these events are about, by table, in the order to restore."""
    ledger = mapping(lab).payments
    reference = ledger.columns.processor_ref
    found = {ledger.table: rows_of(lab, ledger.table, reference, list(_told(events)))}
    if lab.system.name == "reference":
        found["refunds"] = rows_of(lab, "refunds", "processor_ref", _refunds(events))
    return found


def forget(lab: Lab, events: Sequence[Event]) -> None:
    """Set the payments back to what the ledger knew without these events."""
    told = _told(events)
    if lab.system.name == "reference":
        lab.postgres.execute(
            "DELETE FROM refunds WHERE processor_ref = ANY(%s)", (_refunds(events),)
        )
        _forget_in_reference(lab, told)
        return
    ledger = mapping(lab).payments
    columns = ledger.columns
    keys: dict[frozenset[str], list[str]] = defaultdict(list)
    known = _known_still(lab, events, told)
    for row in rows_of(lab, ledger.table, columns.processor_ref, list(told)):
        intent = row[columns.processor_ref]
        types = (told[intent] & set(lab.system.unheard)) - known[intent]
        if types:
            keys[frozenset(types)].append(str(row[columns.id]))
    for lost, these in keys.items():
        values: dict[str, object] = {}
        for type_, unheard in lab.system.unheard.items():  # the earliest event has the last word
            values |= unheard if type_ in lost else {}
        set_columns(lab, ledger.table, columns.id, these, values)
        if columns.updated_at:
            lab.postgres.execute(
                sql.SQL(
                    "UPDATE {} SET {} = {} + interval '1 second' WHERE {}::text = ANY(%s)"
                ).format(
                    *map(
                        sql.Identifier,
                        (ledger.table, columns.updated_at, columns.created_at, columns.id),
                    )
                ),
                (these,),
            )


def _told(events: Sequence[Event]) -> dict[str, set[str]]:
    """The types of these events, by the PaymentIntent they are about."""
    told: dict[str, set[str]] = defaultdict(set)
    for event in events:
        about = event["data"]["object"]
        intent = about["id"] if about["object"] == "payment_intent" else about.get("payment_intent")
        if intent:
            told[intent].add(event["type"])
    return told


def _known_still(
    lab: Lab, events: Sequence[Event], told: dict[str, set[str]]
) -> dict[str, set[str]]:
    """The types, by payment, of which another event was heard: the first of two refunds has made a
    row what it is, whatever became of the second."""
    known: dict[str, set[str]] = defaultdict(set)
    lost, again = {event["id"] for event in events}, set().union(*told.values()) & _MAY_COME_AGAIN
    for type_ in again & set(lab.system.unheard):
        all_ = lab.stripe.get(f"/objects?type=event&event={type_}&limit=1000000")["objects"]
        for intent in _told([event for event in all_ if event["id"] not in lost]):
            known[intent].add(type_)
    return known


def _refunds(events: Sequence[Event]) -> list[str]:
    return [e["data"]["object"]["id"] for e in events if e["type"] == "refund.created"]


def _forget_in_reference(lab: Lab, told: dict[str, set[str]]) -> None:
    paid = [intent for intent, types in told.items() if _PAID in types]
    afterwards = [
        intent
        for intent, types in told.items()
        if _PAID not in types and any(one.startswith(_AFTERWARDS) for one in types)
    ]
    at_the_bank = [intent for intent, types in told.items() if types & _ENDED_AT_THE_BANK]
    # What was heard of afterwards (a refund, a dispute) stands, though nobody heard of the success.
    later = [
        intent for intent in paid if not any(one.startswith(_AFTERWARDS) for one in told[intent])
    ]
    lab.postgres.execute(
        "UPDATE payments SET completed_at = NULL WHERE processor_ref = ANY(%s)", (paid,)
    )
    # What Stripe's own answer says is known at once; success comes by webhook alone.
    lab.postgres.execute(
        "UPDATE payments SET status = 'pending', "
        "updated_at = created_at + interval '1 second' WHERE processor_ref = ANY(%s) "
        "AND (status = 'succeeded' OR NOT processor_ref = ANY(%s))",
        (paid, later),
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
