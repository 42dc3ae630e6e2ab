"""How a shop uses Stripe: all in which the history of one system differs from another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

if TYPE_CHECKING:
    from payops.lab.history.story import PaymentStory

Metadata = dict[str, str]


def order_and_payment(story: PaymentStory) -> Metadata:
    """The reference shop's metadata: the order and the row's key."""
    return {"order_id": story.order_id, "payment_id": str(story.payment_id)}


def no_metadata(story: PaymentStory) -> Metadata:
    """For objects that carry none."""
    del story
    return {}


def by_order(order_id: str, payment_id: UUID) -> str:
    """The reference shop's idempotency key."""
    del payment_id
    return f"pay-{order_id}"


def in_full(price: int, payment_id: UUID) -> int:
    """Stripe is asked for the price."""
    del payment_id
    return price


@dataclass(frozen=True)
class Style:
    """What a system sends to Stripe, and which payments it can tell at all.

    `currencies` are those of its customers (empty: the reference shop's mixture). `without` names
    the endings (`Ending.NAME`) that the system cannot record truly, so that on a healthy lab they
    do not happen. With `declines_of_late` False no payment of the last hour is declined: where no
    column says why, a decline counts as the system's own failure. `charged` gives what Stripe is
    asked for (minor units) for a price. `idempotency_key` gives the header's value, empty for none.
    `metadata` is the PaymentIntent's (Stripe copies it to the charge), `refund_metadata` that of a
    refund; with `sessions` every payment was made by a Checkout Session with `session_metadata`.
    `customers` tells whether a person is one customer at Stripe, a new one for every payment, or
    none; `described` whether a payment says which order it is for. `accounts` are those of its
    sellers at Stripe Connect.
    """

    currencies: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    declines_of_late: bool = True
    charged: Callable[[int, UUID], int] = in_full
    idempotency_key: Callable[[str, UUID], str] = by_order
    metadata: Callable[[PaymentStory], Metadata] = order_and_payment
    refund_metadata: Callable[[PaymentStory], Metadata] = order_and_payment
    sessions: bool = False
    session_metadata: Callable[[PaymentStory], Metadata] = no_metadata
    customers: Literal["one", "each time", "none"] = "one"
    described: bool = True
    accounts: tuple[str, ...] = ()
