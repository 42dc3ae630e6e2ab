"""The fields of Stripe's objects that payops reads; everything else in them is skipped unread.

Names and types are those of Stripe's API reference. A field whose type differs from object to
object is read as it comes and told apart by a property, so that one odd object cannot spoil a list.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

# To the end of the year 9999: what a datetime can hold.
Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]
# Minor units; larger is no payment, and so large that it cannot even be printed.
_MOST = 10**18


class Requirements(Struct, frozen=True):
    """What Stripe still wants to know of the account: `past_due` has been due, `currently_due` is
    by `current_deadline` (Unix seconds), or charges or payouts are disabled (`disabled_reason`)."""

    currently_due: tuple[str, ...] | None = None
    past_due: tuple[str, ...] | None = None
    current_deadline: Seconds | None = None
    disabled_reason: str | None = None


class Account(Struct, frozen=True):
    """`GET /v1/account`. It has no `livemode`: only the key's prefix tells test from live."""

    id: str
    country: str | None = None
    charges_enabled: bool | None = None
    payouts_enabled: bool | None = None
    details_submitted: bool | None = None
    requirements: Requirements | None = None


class Subject(Struct, frozen=True):
    """`data.object` of an event: any kind of object, so every field may be missing or odd."""

    id: Any = None
    object: Any = None
    status: Any = None
    amount: Any = None
    amount_total: Any = None
    amount_due: Any = None
    refunded: Any = None
    currency: Any = None
    payment_intent: Any = None


class _EventBody(Struct, frozen=True):
    object: Subject = Subject()


class Event(Struct, frozen=True):
    """`event`: `created` in Unix seconds; `pending_webhooks` endpoints have not had it yet."""

    id: str
    type: str
    created: Seconds
    livemode: bool
    pending_webhooks: int = 0
    api_version: str | None = None
    data: _EventBody = field(default_factory=_EventBody)

    @property
    def object_id(self) -> str:
        """Id of what it is about (`pi_…`); empty where the object has none (a balance)."""
        return _text(self.data.object.id)

    @property
    def object_type(self) -> str:
        """`payment_intent`, `charge`, `checkout.session`, …"""
        return _text(self.data.object.object)

    @property
    def object_status(self) -> str:
        """The object's own word for its state; empty where it has none."""
        return _text(self.data.object.status)

    @property
    def refunded(self) -> bool | None:
        """Whether all of a charge is given back; None of anything else."""
        found = self.data.object.refunded
        return found if isinstance(found, bool) else None

    @property
    def payment_intent(self) -> str:
        """The PaymentIntent it belongs to: the object itself, or the one that it names."""
        if self.object_type == "payment_intent":
            return self.object_id
        return _text(self.data.object.payment_intent)

    @property
    def amount(self) -> int | None:
        """Minor units of `currency`; of a Checkout Session `amount_total`, of an invoice
        `amount_due`."""
        subject = self.data.object
        for amount in (subject.amount, subject.amount_total, subject.amount_due):
            if isinstance(amount, int) and not isinstance(amount, bool):
                return amount if abs(amount) < _MOST else None
        return None

    @property
    def currency(self) -> str:
        """Lower case, as Stripe gives it; empty where the object has none."""
        return _text(self.data.object.currency)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
