"""What moves the account's money: balance, balance transactions, payouts and disputes."""

from collections.abc import Mapping, Sequence
from typing import Any

from payops.lab.stripe.objects.shapes import StripeObject, shape

# Stripe: `reporting_category` groups balance transaction types; these are the usual ones.
_REPORTING_CATEGORY = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
    "stripe_fee": "fee",
    "application_fee": "platform_earning",
    "transfer": "transfer",
}


def balance(
    *,
    livemode: bool,
    available: Mapping[str, int] | None = None,
    pending: Mapping[str, int] | None = None,
) -> StripeObject:
    """The account's balance; both arguments map a currency to minor units, {'usd': 1250}."""

    def parts(amounts: Mapping[str, int] | None) -> list[StripeObject]:
        return [
            {"amount": minor, "currency": currency, "source_types": {"card": minor}}
            for currency, minor in (amounts or {"usd": 0}).items()
        ]

    available_parts = parts(available)
    return shape(
        "balance",
        available=available_parts,
        connect_reserved=[{"amount": 0, "currency": p["currency"]} for p in available_parts],
        livemode=livemode,
        pending=parts(pending),
    )


def balance_transaction(
    *,
    id: str,
    amount: int,
    currency: str,
    created: int,
    type: str,
    source: str | None,
    fee: int = 0,
    net: int | None = None,
    status: str = "available",
    available_on: int | None = None,
    reporting_category: str | None = None,
    description: str | None = None,
    exchange_rate: float | None = None,
    **more: Any,
) -> StripeObject:
    """A balance transaction: one line of the account's books, in the settlement currency.

    `amount` and `fee` are in minor units, `amount` negative for money that leaves (refunds,
    payouts, disputes); Stripe: net = amount - fee. `type` is charge, refund, adjustment
    (disputes), payout, stripe_fee, ...; `available_on` is in epoch seconds, by default two
    days after `created`. Stripe gives balance transactions no `livemode`. For a dispute
    pass reporting_category='dispute'.
    """
    details: list[StripeObject] = []
    if fee:
        details = [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
    return shape(
        "balance_transaction",
        id=id,
        amount=amount,
        available_on=created + 2 * 86400 if available_on is None else available_on,
        created=created,
        currency=currency,
        description=description,
        exchange_rate=exchange_rate,
        fee=fee,
        fee_details=details,
        net=amount - fee if net is None else net,
        reporting_category=reporting_category or _REPORTING_CATEGORY.get(type, "other_adjustment"),
        source=source,
        status=status,
        type=type,
        **more,
    )


def payout(
    *,
    id: str,
    amount: int,
    currency: str,
    status: str,
    created: int,
    arrival_date: int,
    livemode: bool,
    automatic: bool = True,
    balance_transaction: str | None = None,
    destination: str | None = None,
    failure_code: str | None = None,
    failure_message: str | None = None,
    reconciliation_status: str | None = None,
    metadata: Mapping[str, str] | None = None,
    **more: Any,
) -> StripeObject:
    """A payout to the bank account.

    `amount` is in minor units; `created` and `arrival_date` are epoch seconds; `status` is
    paid, pending, in_transit, canceled or failed. Left out, `reconciliation_status` is
    completed for an automatic payout and not_applicable for a manual one (Stripe: balance
    transactions can be listed by payout only for automatic, reconciled ones).
    """
    if reconciliation_status is None:
        reconciliation_status = "completed" if automatic else "not_applicable"
    return shape(
        "payout",
        id=id,
        amount=amount,
        arrival_date=arrival_date,
        automatic=automatic,
        balance_transaction=balance_transaction,
        created=created,
        currency=currency,
        destination=destination,
        failure_code=failure_code,
        failure_message=failure_message,
        livemode=livemode,
        metadata=dict(metadata or {}),
        reconciliation_status=reconciliation_status,
        status=status,
        **more,
    )


def dispute(
    *,
    id: str,
    amount: int,
    currency: str,
    status: str,
    reason: str,
    created: int,
    livemode: bool,
    charge: str,
    payment_intent: str | None = None,
    due_by: int | None = None,
    has_evidence: bool = False,
    is_charge_refundable: bool = False,
    balance_transactions: Sequence[StripeObject] = (),
    card_brand: str = "visa",
    case_type: str = "chargeback",
    network_reason_code: str = "10.4",
    metadata: Mapping[str, str] | None = None,
    **more: Any,
) -> StripeObject:
    """A dispute of a charge.

    `amount` is in minor units. `status` is needs_response, under_review, won, lost or one of
    the inquiry's warning_needs_response, warning_under_review, warning_closed; `reason` is
    fraudulent, duplicate, product_not_received, general, ... `due_by` (epoch seconds) is
    when evidence is due, by default 7 days after `created`. `balance_transactions` are whole
    objects (Stripe gives them expanded, at most two).
    """
    made = shape(
        "dispute",
        id=id,
        amount=amount,
        balance_transactions=list(balance_transactions),
        charge=charge,
        created=created,
        currency=currency,
        is_charge_refundable=is_charge_refundable,
        livemode=livemode,
        metadata=dict(metadata or {}),
        payment_intent=payment_intent,
        reason=reason,
        status=status,
        **more,
    )
    made["evidence_details"].update(
        due_by=created + 7 * 86400 if due_by is None else due_by,
        has_evidence=has_evidence,
    )
    made["payment_method_details"]["card"].update(
        brand=card_brand,
        case_type=case_type,
        network_reason_code=network_reason_code,
        network=card_brand,
    )
    return made
