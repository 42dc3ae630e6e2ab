"""Which lists Stripe has, by what they can be filtered, and which fields can be expanded."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection.

    `columns` and `fields` map its filters to columns of the store and to paths in the body;
    `permission` is the resource as a restricted key's permissions name it; `id_param` is the
    parameter that Stripe names when the object is missing.
    """

    kind: str
    path: str
    permission: str
    columns: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    created: bool = True
    arrival_date: bool = False
    id_param: str = "id"


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


RESOURCES = (
    Resource(
        "payment_intent",
        "/v1/payment_intents",
        "payment_intents",
        columns=_same("customer"),
        id_param="intent",
    ),
    Resource(
        "charge",
        "/v1/charges",
        "charges",
        columns=_same("customer", "payment_intent"),
        fields=_same("transfer_group"),
    ),
    Resource("refund", "/v1/refunds", "refunds", columns=_same("charge", "payment_intent")),
    Resource(
        "dispute",
        "/v1/disputes",
        "disputes",
        columns=_same("charge", "payment_intent"),
        id_param="dispute",
    ),
    Resource("event", "/v1/events", "events", columns=_same("type")),
    Resource(
        "balance_transaction",
        "/v1/balance_transactions",
        "balance_transactions",
        columns=_same("payout", "source", "type", "currency"),
    ),
    Resource(
        "balance_transaction",
        "/v1/balance/history",
        "balance_transactions",
        columns=_same("payout", "source", "type", "currency"),
    ),
    Resource(
        "payout",
        "/v1/payouts",
        "payouts",
        columns=_same("status"),
        fields=_same("destination"),
        arrival_date=True,
        id_param="payout",
    ),
    Resource(
        "customer",
        "/v1/customers",
        "customers",
        columns=_same("email"),
        fields=_same("test_clock"),
    ),
    Resource(
        "checkout.session",
        "/v1/checkout/sessions",
        "checkout_sessions",
        columns=_same("customer", "payment_intent", "status"),
        fields={
            "customer_details[email]": "customer_details.email",
            "payment_link": "payment_link",
            "subscription": "subscription",
        },
        id_param="session",
    ),
    Resource(
        "webhook_endpoint",
        "/v1/webhook_endpoints",
        "webhook_endpoints",
        created=False,
        id_param="webhook_endpoint",
    ),
    Resource(
        "radar.early_fraud_warning",
        "/v1/radar/early_fraud_warnings",
        "early_fraud_warnings",
        columns=_same("charge", "payment_intent"),
        id_param="early_fraud_warning",
    ),
)

Expandable = Mapping[str, tuple[str, ...]]

EXPANDABLE: Mapping[str, Expandable] = {
    "payment_intent": {
        "application": (),
        "customer": ("customer",),
        "latest_charge": ("charge",),
        "on_behalf_of": ("account",),
        "payment_method": ("payment_method",),
        "review": (),
        "source": (),
    },
    "charge": {
        "application": (),
        "application_fee": (),
        "balance_transaction": ("balance_transaction",),
        "customer": ("customer",),
        "failure_balance_transaction": ("balance_transaction",),
        "on_behalf_of": ("account",),
        "payment_intent": ("payment_intent",),
        "refunds": ("refund",),
        "review": (),
        "source_transfer": (),
    },
    "refund": {
        "balance_transaction": ("balance_transaction",),
        "charge": ("charge",),
        "customer": ("customer",),
        "failure_balance_transaction": ("balance_transaction",),
        "payment_intent": ("payment_intent",),
        "payment_method": ("payment_method",),
    },
    "dispute": {"charge": ("charge",), "payment_intent": ("payment_intent",)},
    "balance_transaction": {"source": ("charge", "refund", "payout", "dispute")},
    "payout": {
        "application_fee": (),
        "balance_transaction": ("balance_transaction",),
        "destination": (),
        "failure_balance_transaction": ("balance_transaction",),
        "original_payout": ("payout",),
        "reversed_by": ("payout",),
    },
    "customer": {"default_source": (), "test_clock": ()},
    "checkout.session": {
        "customer": ("customer",),
        "invoice": (),
        "payment_intent": ("payment_intent",),
        "payment_link": (),
        "setup_intent": (),
        "subscription": (),
    },
    "radar.early_fraud_warning": {"charge": ("charge",), "payment_intent": ("payment_intent",)},
    "payment_method": {"customer": ("customer",)},
}
"""By kind, the fields that can be expanded and the kinds they lead to (none: not simulated)."""

LISTS_INSIDE = {("charge", "refunds"): "charge"}
"""Expandable lists inside objects: (kind, field) -> the column of their members' owner."""
