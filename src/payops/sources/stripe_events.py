"""Stripe's events and webhook endpoints, as lists that are read fast: a few fields, no SDK objects.

Names and types are those of Stripe's API reference; what may be odd in an event's object is read as
it comes and told apart afterwards, so that one odd object cannot spoil a page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from sys import intern
from typing import Any

import msgspec
from msgspec import Struct, field

from payops.domain.money import Money
from payops.domain.webhook import PathEvent
from payops.sources.stripe_objects import Seconds
from payops.sources.stripe_rows import ListKind

_MOST = 10**18  # larger is no payment


class _Subject(Struct, gc=False):
    id: Any = None
    object: Any = None
    status: Any = None
    amount: Any = None
    amount_total: Any = None
    amount_due: Any = None
    amount_refunded: Any = None
    refunded: Any = None
    currency: Any = None
    payment_intent: Any = None
    metadata: Any = None


class _Body(Struct, gc=False):
    object: _Subject = field(default_factory=_Subject)


class EventObject(Struct, gc=False):
    """`event`, with what payops reads of its object."""

    id: str
    type: str
    created: Seconds
    livemode: bool
    pending_webhooks: int = 0
    api_version: str | None = None
    data: _Body = field(default_factory=_Body)


class EndpointObject(Struct, frozen=True):
    """`webhook_endpoint`. Its signing secret is told once, when it is made, and never again."""

    id: str
    url: str
    status: str
    created: Seconds
    livemode: bool = True
    enabled_events: tuple[str, ...] = ()
    api_version: str | None = None
    description: str | None = None


class _Page(Struct, gc=False):
    data: list[EventObject]
    has_more: bool = False


def _kind() -> ListKind:
    return ListKind(
        "events",
        "/v1/events",
        (),
        msgspec.json.Decoder(_Page).decode,
        msgspec.json.Decoder(EventObject).decode,
        lambda event: (event.id, event.type, event.created),
    )


EVENTS = _kind()
"""`/v1/events`."""


class Names(Struct, frozen=True):
    """Keys of Stripe's metadata that name our own rows: the first that an object has is taken."""

    local: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


def path_event(event: EventObject, names: Names) -> PathEvent:
    """The event in payops' words: what Stripe alone knows of it.

    `amount` is of what it is about; of `charge.refunded` what was refunded of it so far.
    """
    subject = event.data.object
    kind = _text(subject.object)
    metadata = subject.metadata if isinstance(subject.metadata, dict) else {}
    about = _text(subject.id)
    return PathEvent(
        id=event.id,
        type=intern(event.type),
        created=datetime.fromtimestamp(event.created, UTC),
        livemode=event.livemode,
        pending_webhooks=event.pending_webhooks,
        object_id=about,
        object_status=intern(_text(subject.status)),
        refunded=subject.refunded if isinstance(subject.refunded, bool) else None,
        payment_intent=about if kind == "payment_intent" else _text(subject.payment_intent),
        named_id=_first(metadata, names.local),
        named_order=_first(metadata, names.order),
        amount=_amount(event.type, subject),
        api_version=intern(event.api_version or ""),
    )


def _amount(type_: str, subject: _Subject) -> Money | None:
    code = _text(subject.currency)
    first = (subject.amount_refunded,) if type_ == "charge.refunded" else ()
    for amount in (*first, subject.amount, subject.amount_total, subject.amount_due):
        if isinstance(amount, int) and not isinstance(amount, bool):
            return Money(intern(code), amount) if code and abs(amount) < _MOST else None
    return None


def _first(metadata: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((str(metadata[key]) for key in keys if metadata.get(key) not in (None, "")), "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def decode_event() -> Callable[[bytes], EventObject]:
    """Decodes one event."""
    return msgspec.json.Decoder(EventObject).decode
