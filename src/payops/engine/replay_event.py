"""One event of Stripe's, asked for when it is planned by its id and when it is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct
from msgspec.json import decode

from payops.domain.payment import PaymentStatus
from payops.domain.text import harmless, shortened
from payops.errors import Failure, SourceError

if TYPE_CHECKING:
    from payops.domain.webhook import PathEvent
    from payops.sources import Sources


_GOING_ON = frozenset({PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION})
_FAILED = frozenset({"requires_payment_method", "canceled"})


class EventGoneError(Exception):
    """Stripe has no such event: in this account and mode, or any more."""


@dataclass(frozen=True)
class Fetched:
    """`body` is what Stripe gave, byte for byte. `account` is the connected account that the event
    is of; empty for one of our own."""

    body: bytes
    event: PathEvent
    account: str = ""


def fetched(sources: Sources, id_: str) -> Fetched:
    """The event as Stripe has it. Raises EventGoneError, SourceError."""
    from payops.sources.stripe_events import EventObject, path_event
    from payops.webhooks.gather import names_of

    try:
        body = sources.stripe.event_body(id_)
    except SourceError as error:
        if error.kind is not Failure.NOT_FOUND:
            raise
        raise EventGoneError(
            "Stripe has no such event: it keeps one for 30 days, and each account and mode has "
            "its own"
        ) from error
    try:
        event = path_event(decode(body, type=EventObject), names_of(sources.settings))
        told = json.loads(body).get("account") or ""
    except (ValueError, AttributeError, RecursionError) as error:
        raise _not_understood(id_, str(error)) from error
    if event.id != id_:
        raise _not_understood(id_, "it is another event")
    return Fetched(body, event, told if isinstance(told, str) else "?")


class _Intent(Struct, frozen=True):
    status: str


def superseded(sources: Sources, event: PathEvent, status: PaymentStatus | None) -> str:
    """Why a failed attempt is not the payment's last word; empty when it is, or nothing says so.

    A customer who tries again makes what failed go on, so that the ledger's `processing` may be
    older or newer than the failure: Stripe's own state of the payment tells. Raises SourceError.
    """
    if event.type != "payment_intent.payment_failed" or status not in _GOING_ON:
        return ""
    path = f"/v1/payment_intents/{quote(event.payment_intent, safe='')}"
    now = sources.stripe.get(path, _Intent).value.status
    if now in _FAILED:
        return ""
    return f"it failed, and was tried again since: Stripe says {shortened(harmless(now), 30)} now"


def _not_understood(id_: str, why: str) -> SourceError:
    return SourceError(
        "stripe",
        Failure.BAD_ANSWER,
        f"GET /v1/events/{id_}: {why}",
        hint="is stripe.api_base really Stripe?",
    )
