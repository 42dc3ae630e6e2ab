"""The idempotency key that a PaymentIntent was made with: of those alone that no row was found for.

The intent does not carry it; its `payment_intent.created` event does, in `request`. Events are read
for the time around these intents and for at most ten pages: a key not found there is not known, and
the intent stays what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from payops.reconcile.totals import Row

if TYPE_CHECKING:
    from payops.sources import Sources

MOST_EVENTS = 1000
# The event is made with the intent; a second on both sides for their whole seconds.
_AROUND_S = 1


class _Object(Struct, frozen=True):
    id: Any = None


class _Body(Struct, frozen=True):
    object: _Object = _Object()


class _Created(Struct, frozen=True):
    """Stripe's event; `request` was a plain id before API version 2017-05-25."""

    id: str
    data: _Body = _Body()
    request: Any = None


def request_keys(rows: Sequence[Row], sources: Sources) -> dict[str, str]:
    """Idempotency keys by intent of the rows (`id`, `created_us`) whose event tells one.

    Raises SourceError.
    """
    wanted = {str(row["id"]) for row in rows if str(row["id"]).startswith("pi_")}
    times = [int(row["created_us"]) // 1_000_000 for row in rows if row["created_us"] is not None]
    if not wanted or not times:
        return {}
    listed = sources.stripe.list(
        "/v1/events",
        _Created,
        at_most=MOST_EVENTS,
        type="payment_intent.created",
        created={"gte": min(times) - _AROUND_S, "lte": max(times) + _AROUND_S},
    )
    found: dict[str, str] = {}
    for event in listed.items:
        key = event.request.get("idempotency_key") if isinstance(event.request, dict) else None
        if event.data.object.id in wanted and isinstance(key, str) and key:
            found[event.data.object.id] = key
    return found
