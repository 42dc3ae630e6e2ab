"""One payment's objects at Stripe, whole enough to tell its story: by id or by what they belong to.

Names and types are those of Stripe's API reference. What is not read is skipped: no
`client_secret`, no card number but its last four digits.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import quote

from msgspec import Struct, field

from payops.sources.stripe_objects import Seconds

T = TypeVar("T")


class Named(Struct, frozen=True):
    """An object where the API may give its id alone."""

    id: str


Reference = str | Named | None


def id_of(reference: Any) -> str:
    """The id of what is named; empty for nothing."""
    if reference is None:
        return ""
    return reference if isinstance(reference, str) else str(reference.id)


class BalanceLine(Struct, frozen=True):
    """`balance_transaction`: `net = amount - fee`, in the currency of settlement."""

    id: str
    amount: int
    created: Seconds
    currency: str
    fee: int
    net: int
    available_on: Seconds
    type: str = ""
    reporting_category: str = ""
    status: str = ""
    source: Reference = None
    exchange_rate: float | None = None


class _Error(Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class _NextAction(Struct, frozen=True):
    type: str | None = None


class _Outcome(Struct, frozen=True):
    network_status: str | None = None
    type: str | None = None
    reason: str | None = None
    seller_message: str | None = None
    risk_level: str | None = None
    network_decline_code: str | None = None


class _Secure(Struct, frozen=True):
    result: str | None = None
    authentication_flow: str | None = None
    version: str | None = None


class _Card(Struct, frozen=True):
    brand: str | None = None
    last4: str | None = None
    network: str | None = None
    three_d_secure: _Secure | None = None


class _Method(Struct, frozen=True):
    type: str | None = None
    card: _Card | None = None


class ChargeObject(Struct, frozen=True):
    """`charge`: one attempt. `balance_transaction` is expanded where the list was asked for it."""

    id: str
    amount: int
    created: Seconds
    currency: str
    status: str
    livemode: bool | None = None
    amount_captured: int | None = None
    amount_refunded: int = 0
    balance_transaction: BalanceLine | str | None = None
    captured: bool | None = None
    customer: Reference = None
    disputed: bool = False
    failure_code: str | None = None
    failure_message: str | None = None
    metadata: dict[str, Any] | None = None
    outcome: _Outcome | None = None
    payment_intent: Reference = None
    payment_method_details: _Method | None = None

    @property
    def taken(self) -> int:
        """Minor units that were captured."""
        if self.status != "succeeded":
            return 0
        if self.amount_captured is not None:
            return self.amount_captured
        return self.amount if self.captured is not False else 0


class Intent(Struct, frozen=True):
    """`payment_intent`."""

    id: str
    amount: int
    created: Seconds
    currency: str
    status: str
    livemode: bool | None = None
    amount_received: int | None = None
    canceled_at: Seconds | None = None
    cancellation_reason: str | None = None
    capture_method: str = ""
    customer: Reference = None
    latest_charge: ChargeObject | str | None = None
    last_payment_error: _Error | None = None
    metadata: dict[str, Any] | None = None
    next_action: _NextAction | None = None

    @property
    def kept(self) -> int:
        """Minor units that were received and not given back; what was given back is known where
        the latest charge is expanded."""
        charge = self.latest_charge
        given = charge.amount_refunded if isinstance(charge, ChargeObject) else 0
        return max(0, (self.amount_received or 0) - given)


class RefundObject(Struct, frozen=True):
    """`refund`."""

    id: str
    amount: int
    created: Seconds
    currency: str
    status: str | None = None
    balance_transaction: BalanceLine | str | None = None
    charge: Reference = None
    failure_reason: str | None = None
    payment_intent: Reference = None
    reason: str | None = None


class _Evidence(Struct, frozen=True):
    due_by: Seconds | None = None
    has_evidence: bool | None = None
    past_due: bool | None = None
    submission_count: int | None = None


class DisputeObject(Struct, frozen=True):
    """`dispute`. `evidence_details.due_by` is the last moment to answer."""

    id: str
    amount: int
    created: Seconds
    currency: str
    status: str
    reason: str = ""
    balance_transactions: tuple[BalanceLine, ...] = ()
    charge: Reference = None
    evidence_details: _Evidence | None = None
    payment_intent: Reference = None
    livemode: bool | None = None


class SessionObject(Struct, frozen=True):
    """`checkout.session`."""

    id: str
    created: Seconds
    status: str | None = None
    payment_status: str | None = None
    payment_intent: Reference = None
    amount_total: int | None = None
    currency: str | None = None
    client_reference_id: str | None = None
    customer: Reference = None
    expires_at: Seconds | None = None
    livemode: bool | None = None
    metadata: dict[str, Any] | None = None


class PayoutObject(Struct, frozen=True):
    """`payout`; `arrival_date` is a day."""

    id: str
    amount: int
    created: Seconds
    arrival_date: Seconds
    currency: str
    status: str
    automatic: bool = True
    livemode: bool | None = None
    failure_code: str | None = None


class CustomerObject(Struct, frozen=True):
    """`customer`; neither name nor e-mail is read."""

    id: str
    created: Seconds | None = None
    deleted: bool = False
    livemode: bool | None = None


class EventSubject(Struct, frozen=True):
    """`data.object` of an event: any kind of object."""

    id: Any = None
    object: Any = None
    status: Any = None
    amount: Any = None
    amount_refunded: Any = None
    currency: Any = None
    payment_intent: Any = None
    charge: Any = None
    source: Any = None


class _Body(Struct, frozen=True):
    object: EventSubject = EventSubject()


class _Request(Struct, frozen=True):
    id: str | None = None
    idempotency_key: str | None = None


class StoryEvent(Struct, frozen=True):
    """`event`, with the request that caused it: its id and Idempotency-Key, where there was one."""

    id: str
    type: str
    created: Seconds
    livemode: bool = False
    pending_webhooks: int = 0
    request: _Request | str | None = None
    data: _Body = field(default_factory=_Body)

    @property
    def about(self) -> str:
        """Id of its object; empty where it has none."""
        return _text(self.data.object.id)

    @property
    def payment_intent(self) -> str:
        """The PaymentIntent that it belongs to, where the object says so."""
        subject = self.data.object
        if subject.object == "payment_intent":
            return self.about
        named = subject.payment_intent
        return _text(named.get("id")) if isinstance(named, dict) else _text(named)

    @property
    def charge(self) -> str:
        """The charge that it belongs to."""
        subject = self.data.object
        return self.about if subject.object == "charge" else _text(subject.charge)

    @property
    def idempotency_key(self) -> str:
        """The Idempotency-Key of the request that caused it."""
        return (self.request.idempotency_key or "") if isinstance(self.request, _Request) else ""

    @property
    def request_id(self) -> str:
        """The request that caused it, `req_…`; empty for what Stripe did by itself."""
        if isinstance(self.request, _Request):
            return self.request.id or ""
        return self.request or ""


class EndpointFact(Struct, frozen=True):
    """`webhook_endpoint`, as far as it says what is sent there."""

    id: str
    url: str
    status: str
    created: Seconds = 0
    enabled_events: tuple[str, ...] = ()
    livemode: bool | None = None

    def wants(self, type_: str) -> bool:
        """Whether it is registered for events of this type."""
        return "*" in self.enabled_events or type_ in self.enabled_events


def path_of(kind: str, id_: str) -> str:
    """`/v1/KIND/ID`, the id quoted."""
    return f"/v1/{kind}/{quote(id_, safe='')}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
