"""How the account stands with Stripe: account, balance, payouts, disputes and warnings, as far as
health looks at them. Names and types are those of Stripe's API reference.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from payops.sources.stripe_objects import Seconds
from payops.sources.stripe_payment import Reference, id_of

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """One page of a list, newest first; `has_more` tells that older ones were left out."""

    data: list[T]
    has_more: bool = False


class Funds(Struct, frozen=True):
    """Minor units of one currency; negative when the account owes Stripe."""

    amount: int
    currency: str


class Balance(Struct, frozen=True):
    """`GET /v1/balance`: `available` can be paid out, `pending` not yet."""

    available: tuple[Funds, ...] = ()
    pending: tuple[Funds, ...] = ()


class Payout(Struct, frozen=True):
    """`payout`: `arrival_date` is when the bank is expected to have it."""

    id: str
    amount: int
    currency: str
    status: str
    created: Seconds
    arrival_date: Seconds = 0
    failure_code: str | None = None
    failure_message: str | None = None


class _Evidence(Struct, frozen=True):
    due_by: Seconds | None = None
    has_evidence: bool | None = None


class Dispute(Struct, frozen=True):
    """`dispute`: `needs_response` and `warning_needs_response` wait for our evidence."""

    id: str
    amount: int
    currency: str
    status: str
    created: Seconds
    reason: str = ""
    charge: Reference = None
    evidence_details: _Evidence | None = None

    @property
    def due_by(self) -> int | None:
        """Last moment to answer, in Unix seconds; None where nothing is to be answered."""
        if self.status not in ("needs_response", "warning_needs_response"):
            return None
        return self.evidence_details.due_by if self.evidence_details else None


class FraudWarning(Struct, frozen=True):
    """`radar.early_fraud_warning`: the issuer says that a charge was fraud. `actionable` while a
    refund can still forestall the dispute."""

    id: str
    created: Seconds
    actionable: bool = False
    charge: Reference = None
    fraud_type: str = ""


class _Failed(Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None
    payment_method: Any = None

    @property
    def card(self) -> str:
        """The card's fingerprint: one card is one text; empty where it is not told."""
        method = self.payment_method if isinstance(self.payment_method, dict) else {}
        card = method.get("card")
        return str(card.get("fingerprint") or "") if isinstance(card, dict) else ""


class _ChargeOutcome(Struct, frozen=True):
    network_status: str | None = None


class _LatestCharge(Struct, frozen=True):
    id: str
    created: Seconds
    status: str = ""
    outcome: _ChargeOutcome | None = None


class RecentIntent(Struct, frozen=True):
    """`payment_intent` with its charge expanded, as far as health looks at it."""

    id: str
    amount: int
    currency: str
    created: Seconds
    status: str
    last_payment_error: _Failed | None = None
    latest_charge: _LatestCharge | str | None = None

    @property
    def decline(self) -> str:
        """Why its last attempt failed, in the most exact word; empty when it did not."""
        error = self.last_payment_error
        if error is None or self.status not in ("requires_payment_method", "canceled"):
            return ""
        return error.decline_code or error.code or ""

    @property
    def network_status(self) -> str:
        """What its last charge came to in the card network: `declined_by_network` is the bank's
        own no, `not_sent_to_network` a block of Stripe's; empty where that is not told."""
        charge = self.latest_charge
        if not isinstance(charge, _LatestCharge) or charge.outcome is None:
            return ""
        return charge.outcome.network_status or ""

    @property
    def seconds(self) -> int | None:
        """From its making to the charge that took the money; None where none did, or it is not
        told."""
        charge = self.latest_charge
        if self.status != "succeeded" or not isinstance(charge, _LatestCharge):
            return None
        return max(charge.created - self.created, 0)


class _Subject(Struct, frozen=True):
    id: str = ""
    object: str = ""
    amount: Any = None
    amount_capturable: Any = None
    currency: Any = None
    payment_intent: Any = None


class _Body(Struct, frozen=True):
    object: _Subject = field(default_factory=_Subject)


class CaptureEvent(Struct, frozen=True):
    """An event of a payment that is captured by hand."""

    id: str
    type: str
    created: Seconds
    api_version: str | None = None
    data: _Body = field(default_factory=_Body)

    @property
    def payment_intent(self) -> str:
        """The PaymentIntent that it is about."""
        about = self.data.object
        if about.object == "payment_intent":
            return about.id
        return id_of(about.payment_intent) if isinstance(about.payment_intent, str) else ""

    @property
    def amount(self) -> int:
        """Minor units that can be, or were, captured."""
        about = self.data.object
        for given in (about.amount_capturable, about.amount):
            if isinstance(given, int) and not isinstance(given, bool):
                return given
        return 0

    @property
    def currency(self) -> str:
        """Lower case; empty where it is not told."""
        return str(self.data.object.currency or "")
