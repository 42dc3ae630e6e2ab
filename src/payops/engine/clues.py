"""Which events should have told the ledger, and what the event log knows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from payops.reconcile.causes import Clue
from payops.reconcile.report import stripe_id
from payops.reconcile.totals import Row
from payops.sources.stripe_objects import Event

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources import Sources

# Ten pages: enough to tell a pattern, and never a burden on the limit.
MOST_EVENTS = 1000
_OF_STATE = {
    "paid": "payment_intent.succeeded",
    "part_refunded": "charge.refunded",
    "refunded": "charge.refunded",
    "processing": "payment_intent.processing",
    "action": "payment_intent.requires_action",
    "declined": "payment_intent.payment_failed",
    "canceled": "payment_intent.canceled",
}
_OF_CLASS = {
    "refund_missing": "charge.refunded",
    "refund_partial_mismatch": "charge.refunded",
    "dispute_unrecorded": "charge.dispute.created",
}
_CLASSES = frozenset({"status_mismatch", *_OF_CLASS})
# From Stripe's taking note of something to its event.
_AFTER_US = 3_600_000_000


def clues_for(rows: Sequence[Row], settings: Settings, sources: Sources) -> Mapping[str, Clue]:
    """A clue for each of these findings that one was found for, by the finding's id at Stripe.

    Raises SourceError.
    """
    wanted = {
        (str(row["id"]), type_): stripe_id(row)
        for row in rows
        if row["class"] in _CLASSES and row["id"] and (type_ := _type(row))
    }
    times = [t for row in rows if row["class"] in _CLASSES and (t := _happened(row)) is not None]
    if not wanted or not times:
        return {}
    events = sources.stripe.list(
        "/v1/events",
        Event,
        at_most=MOST_EVENTS,
        types=sorted({type_ for _, type_ in wanted}),
        created={
            "gte": min(times) // 1_000_000,
            "lt": (max(times) + _AFTER_US) // 1_000_000,
        },
    )
    found: dict[str, Event] = {}
    for event in events.items:
        name = wanted.get((event.payment_intent, event.type))
        if name is not None:
            found.setdefault(name, event)
    logged = _logged([event.id for event in found.values()], settings, sources)
    return {
        name: Clue(
            event.id, event.type, event.pending_webhooks > 0, *logged.get(event.id, ("", ""))
        )
        for name, event in found.items()
    }


def _logged(
    events: Sequence[str], settings: Settings, sources: Sources
) -> dict[str, tuple[str, str]]:
    """What the first event log says of each: absent, waiting, failed or handled, and its error."""
    log = next(iter(settings.event_logs.values()), None)
    if log is None or settings.postgres is None or not events:
        return {}
    from payops.sources.lookup import events_named

    rows = events_named(sources.postgres, log, events)
    said: dict[str, tuple[str, str]] = {}
    for event in events:
        row = rows.get(event)
        if row is None:
            said[event] = ("absent", "")
        elif row.error or row.status == "failed":
            said[event] = ("failed", row.error or "")
        elif row.processed_at is not None or (row.processed or "").lower() in {"true", "t", "1"}:
            said[event] = ("handled", "")
        else:
            said[event] = ("waiting", "")
    return said


def _type(row: Row) -> str:
    return _OF_CLASS.get(row["class"]) or _OF_STATE.get(row.get("true_state") or "", "")


def _happened(row: Row) -> int | None:
    """When what the event tells of happened, as far as it is known; microseconds."""
    happened = row.get("charge_created_us") or row["stripe_us"]
    return int(happened) if happened is not None else None
