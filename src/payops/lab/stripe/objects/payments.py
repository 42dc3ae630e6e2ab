"""PaymentIntents, charges, refunds and Checkout sessions."""

from collections.abc import Mapping, Sequence
from typing import Any

from payops.lab.stripe.objects.shapes import StripeObject, derived_token, shape

Metadata = Mapping[str, str]


def payment_intent(
    *,
    id: str,
    amount: int,
    currency: str,
    status: str,
    created: int,
    livemode: bool,
    customer: str | None = None,
    latest_charge: str | None = None,
    metadata: Metadata | None = None,
    description: str | None = None,
    last_payment_error: StripeObject | None = None,
    receipt_email: str | None = None,
    payment_method: str | None = None,
    payment_method_types: Sequence[str] = ("card",),
    amount_received: int | None = None,
    amount_capturable: int | None = None,
    capture_method: str = "automatic",
    confirmation_method: str = "automatic",
    canceled_at: int | None = None,
    cancellation_reason: str | None = None,
    next_action: StripeObject | None = None,
    **more: Any,
) -> StripeObject:
    """A PaymentIntent.

    `amount` is in minor units, `created` and `canceled_at` in epoch seconds. `status` is
    one of requires_payment_method, requires_confirmation, requires_action, processing,
    requires_capture, canceled, succeeded. Left out, `amount_received` is all of `amount`
    once succeeded, `amount_capturable` all of it while requires_capture, and `canceled_at`
    is `created` once canceled. `more` sets any other field of a PaymentIntent; an unknown
    one is a KeyError.
    """
    if amount_received is None:
        amount_received = amount if status == "succeeded" else 0
    if amount_capturable is None:
        amount_capturable = amount if status == "requires_capture" else 0
    if status == "canceled" and canceled_at is None:
        canceled_at = created
    return shape(
        "payment_intent",
        id=id,
        amount=amount,
        amount_capturable=amount_capturable,
        amount_received=amount_received,
        canceled_at=canceled_at,
        cancellation_reason=cancellation_reason,
        capture_method=capture_method,
        client_secret=f"{id}_secret_{derived_token(id, 25)}",
        confirmation_method=confirmation_method,
        created=created,
        currency=currency,
        customer=customer,
        description=description,
        last_payment_error=last_payment_error,
        latest_charge=latest_charge,
        livemode=livemode,
        metadata=dict(metadata or {}),
        next_action=next_action,
        payment_method=payment_method,
        payment_method_types=list(payment_method_types),
        receipt_email=receipt_email,
        status=status,
        **more,
    )


def card_error(
    *,
    code: str,
    message: str,
    decline_code: str | None = None,
    charge: str | None = None,
    payment_method: str | None = None,
) -> StripeObject:
    """A card error, as in `last_payment_error` and in the body of a 402.

    `code` is Stripe's error code (card_declined, expired_card, incorrect_cvc,
    processing_error, ...); `decline_code` is the issuer's reason.
    """
    error: StripeObject = {
        "code": code,
        "doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}",
        "message": message,
        "type": "card_error",
    }
    optional = {"charge": charge, "decline_code": decline_code, "payment_method": payment_method}
    error.update({name: value for name, value in optional.items() if value is not None})
    return error


def outcome(
    *,
    network_status: str,
    type: str,
    reason: str | None = None,
    seller_message: str | None = None,
    risk_level: str | None = "normal",
    risk_score: int | None = None,
) -> StripeObject:
    """The `outcome` of a charge.

    `network_status` is approved_by_network, declined_by_network, not_sent_to_network or
    reversed_after_approval; `type` is authorized, manual_review, issuer_declined, blocked
    or invalid; `risk_score` is 0 to 100.
    """
    made: StripeObject = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": risk_level,
        "seller_message": seller_message,
        "type": type,
    }
    if risk_score is not None:
        made["risk_score"] = risk_score
    return made


def charge(
    *,
    id: str,
    amount: int,
    currency: str,
    status: str,
    created: int,
    livemode: bool,
    payment_intent: str | None = None,
    customer: str | None = None,
    balance_transaction: str | None = None,
    metadata: Metadata | None = None,
    description: str | None = None,
    captured: bool | None = None,
    amount_captured: int | None = None,
    amount_refunded: int = 0,
    refunded: bool | None = None,
    disputed: bool = False,
    failure_code: str | None = None,
    failure_message: str | None = None,
    outcome: StripeObject | None = None,
    payment_method: str | None = None,
    card_brand: str = "visa",
    card_last4: str = "4242",
    card_network: str | None = None,
    card_country: str = "US",
    three_d_secure: StripeObject | None = None,
    billing_email: str | None = None,
    billing_name: str | None = None,
    receipt_email: str | None = None,
    **more: Any,
) -> StripeObject:
    """A charge by card: one attempt of a PaymentIntent.

    Amounts are in minor units, `created` in epoch seconds; `status` is succeeded, failed or
    pending. Left out, a succeeded charge is captured in full, `refunded` is true only when
    all of `amount` is refunded (Stripe: `refunded` means fully refunded), and `outcome`
    follows the status. `three_d_secure` is Stripe's hash ({"result": "authenticated", ...}).
    `more` sets any other field of a charge; an unknown one is a KeyError.
    """
    succeeded = status == "succeeded"
    captured = succeeded if captured is None else captured
    if amount_captured is None:
        amount_captured = amount if captured else 0
    made = shape(
        "charge",
        id=id,
        amount=amount,
        amount_captured=amount_captured,
        amount_refunded=amount_refunded,
        balance_transaction=balance_transaction,
        captured=captured,
        created=created,
        currency=currency,
        customer=customer,
        description=description,
        disputed=disputed,
        failure_code=failure_code,
        failure_message=failure_message,
        livemode=livemode,
        metadata=dict(metadata or {}),
        outcome=outcome or _outcome_for(status, failure_code),
        paid=succeeded,
        payment_intent=payment_intent,
        payment_method=payment_method,
        receipt_email=receipt_email,
        refunded=amount_refunded >= amount > 0 if refunded is None else refunded,
        status=status,
        **more,
    )
    made["billing_details"].update(email=billing_email, name=billing_name)
    made["payment_method_details"]["card"].update(
        amount_authorized=amount if succeeded else None,
        brand=card_brand,
        country=card_country,
        last4=card_last4,
        network=card_network or card_brand,
        three_d_secure=three_d_secure,
    )
    return made


def _outcome_for(status: str, failure_code: str | None) -> StripeObject | None:
    if status == "succeeded":
        return outcome(
            network_status="approved_by_network",
            type="authorized",
            seller_message="Payment complete.",
            risk_score=20,
        )
    if status == "failed":
        return outcome(
            network_status="declined_by_network",
            type="issuer_declined",
            reason=failure_code,
            seller_message="The bank did not return any further details with this decline.",
            risk_score=20,
        )
    return None


def refund(
    *,
    id: str,
    amount: int,
    currency: str,
    status: str,
    created: int,
    charge: str | None,
    payment_intent: str | None = None,
    balance_transaction: str | None = None,
    reason: str | None = None,
    failure_reason: str | None = None,
    metadata: Metadata | None = None,
    **more: Any,
) -> StripeObject:
    """A refund. Stripe gives refunds no `livemode`: it is that of the charge.

    `amount` is in minor units and positive; `status` is pending, requires_action,
    succeeded, failed or canceled; `reason` is duplicate, fraudulent, requested_by_customer
    or None. `failure_reason` is present on failed refunds only.
    """
    made = shape(
        "refund",
        id=id,
        amount=amount,
        balance_transaction=balance_transaction,
        charge=charge,
        created=created,
        currency=currency,
        metadata=dict(metadata or {}),
        payment_intent=payment_intent,
        reason=reason,
        status=status,
        **more,
    )
    if failure_reason is not None:
        made["failure_reason"] = failure_reason
    return made


def checkout_session(
    *,
    id: str,
    amount_total: int,
    currency: str,
    status: str,
    payment_status: str,
    created: int,
    livemode: bool,
    payment_intent: str | None = None,
    customer: str | None = None,
    customer_email: str | None = None,
    client_reference_id: str | None = None,
    metadata: Metadata | None = None,
    mode: str = "payment",
    expires_at: int | None = None,
    success_url: str = "https://example.com/success",
    cancel_url: str = "https://example.com/cancel",
    **more: Any,
) -> StripeObject:
    """A Checkout session.

    `amount_total` is in minor units; `status` is open, complete or expired;
    `payment_status` is paid, unpaid or no_payment_required. It expires 24 h after
    `created` unless `expires_at` (epoch seconds) says otherwise; only an open one has a URL.
    """
    details: StripeObject | None = None
    if customer_email is not None:
        details = {
            "address": None,
            "business_name": None,
            "email": customer_email,
            "individual_name": None,
            "name": None,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        }
    return shape(
        "checkout.session",
        id=id,
        amount_subtotal=amount_total,
        amount_total=amount_total,
        cancel_url=cancel_url,
        client_reference_id=client_reference_id,
        created=created,
        currency=currency,
        customer=customer,
        customer_details=details,
        customer_email=customer_email,
        expires_at=created + 86400 if expires_at is None else expires_at,
        livemode=livemode,
        metadata=dict(metadata or {}),
        mode=mode,
        payment_intent=payment_intent,
        payment_status=payment_status,
        status=status,
        success_url=success_url,
        url=f"https://checkout.stripe.com/c/pay/{id}" if status == "open" else None,
        **more,
    )
