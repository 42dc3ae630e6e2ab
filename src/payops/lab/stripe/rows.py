"""From a Stripe object's JSON to its row in the store: which fields can be filtered by."""

from typing import Any

import msgspec

ARRIVALS_PER_SECOND = 1 << 30
"""Room for the order of arrival below each second of `created` in a position."""

COLUMNS = (
    "position",
    "id",
    "kind",
    "scope",
    "customer",
    "payment_intent",
    "charge",
    "payout",
    "source",
    "type",
    "status",
    "email",
    "currency",
    "arrival_date",
    "undelivered",
    "body",
)

# Each kind fills only the columns that Stripe lists it by: the indexes stay small.
FILTERS: dict[str, tuple[str, ...]] = {
    "payment_intent": ("customer",),
    "charge": ("customer", "payment_intent"),
    "refund": ("charge", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "balance_transaction": ("payout", "source", "type", "currency"),
    "payout": ("status",),
    "customer": ("email",),
    "checkout.session": ("customer", "payment_intent", "status"),
    "radar.early_fraud_warning": ("charge", "payment_intent"),
    "event": ("type",),
}


class Indexed(msgspec.Struct):
    """The fields of an object that its row repeats; everything else stays in the body."""

    object: str
    id: str | None = None
    created: int | None = None
    livemode: bool | None = None
    customer: Any = None
    payment_intent: Any = None
    charge: Any = None
    payout: Any = None
    source: Any = None
    type: Any = None
    status: Any = None
    email: Any = None
    currency: Any = None
    arrival_date: int | None = None
    pending_webhooks: int | None = None


decode_indexed = msgspec.json.Decoder(Indexed).decode


def scope(livemode: bool, account: str | None = None) -> str:
    """The part of the store that a key of this mode sees, for a connected account or none."""
    mode = "live" if livemode else "test"
    return f"{mode}/{account}" if account else mode


def row_id(indexed: Indexed, scope: str) -> str:
    """The key of an object's row: its id; a balance, which has none, is one a scope."""
    return indexed.id or f"{indexed.object}:{scope}"


def row(indexed: Indexed, scope: str, position: int, body: bytes) -> tuple[Any, ...]:
    """The row of an object, in the order of COLUMNS."""
    kind = indexed.object
    filters = FILTERS.get(kind, ())
    values = {name: _reference(getattr(indexed, name)) for name in filters}
    return (
        position,
        row_id(indexed, scope),
        kind,
        scope,
        *(values.get(name) for name in COLUMNS[4:13]),
        indexed.arrival_date if kind == "payout" else None,
        int((indexed.pending_webhooks or 0) > 0) if kind == "event" else None,
        body,
    )


def _reference(value: Any) -> str | None:
    """The id in a reference, be it an id or an expanded object."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None
