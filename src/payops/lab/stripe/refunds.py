"""POST /v1/refunds and POST /v1/events/{id}/retry."""

import json

from payops.lab.stripe import charging, objects
from payops.lab.stripe.call import Call
from payops.lab.stripe.errors import StripeError, missing_parameter
from payops.lab.stripe.objects import StripeObject

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> StripeObject:
    """Refund a charge or a PaymentIntent, all that is left of it or `amount`."""
    call.allow(
        "charge",
        "payment_intent",
        "amount",
        "reason",
        "metadata",
        "refund_application_fee",
        "reverse_transfer",
        "instructions_email",
        "origin",
        "currency",
        "customer",
    )
    amount = call.amount()
    reason = call.text("reason")
    if reason is not None and reason not in REASONS:
        raise StripeError(
            400, f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason"
        )
    charge = _charge(call)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left <= 0:
        raise StripeError(
            400,
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            executed=True,
        )
    amount = left if amount is None else amount
    if amount > left:
        raise StripeError(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}, in "
            f"minor units of {charge['currency']})",
            param="amount",
            executed=True,
        )
    return _refund(call, charge, amount, reason)


def _charge(call: Call) -> StripeObject:
    given, intent_id = call.text("charge"), call.text("payment_intent")
    if given is None and intent_id is None:
        raise missing_parameter("charge")
    if given is None and intent_id is not None:
        intent = call.find("payment_intent", intent_id, param="payment_intent")
        given = intent["latest_charge"]
        if given is None or intent["status"] != "succeeded":
            raise StripeError(
                400,
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
                param="payment_intent",
                executed=True,
            )
    return call.find("charge", str(given), param="charge")


def _refund(call: Call, charge: StripeObject, amount: int, reason: str | None) -> StripeObject:
    refund = objects.refund(
        id=call.new_id("re"),
        amount=amount,
        currency=charge["currency"],
        status="succeeded",
        created=call.now(),
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
        balance_transaction=call.new_id("txn"),
        reason=reason,
        metadata=call.metadata(),
    )
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]
    transaction = objects.balance_transaction(
        id=refund["balance_transaction"],
        amount=-amount,
        currency=charge["currency"],
        created=call.now(),
        type="refund",
        source=refund["id"],
        status="pending",
    )
    call.save(refund)
    call.save(charge)
    charging.book(call, transaction)
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge, previous=before)
    return refund


def retry_event(call: Call, id_: str) -> StripeObject:
    """Send an event again to `webhook_endpoint`, as the CLI's `stripe events resend` does."""
    call.allow("webhook_endpoint", "account")
    endpoint_id = call.required("webhook_endpoint")
    call.find("event", id_, param="id")
    endpoint = call.find("webhook_endpoint", endpoint_id, param="webhook_endpoint", status=400)
    if endpoint["status"] != "enabled":
        raise StripeError(
            400, f"The webhook endpoint {endpoint_id} is disabled.", param="webhook_endpoint"
        )
    call.webhooks.queue(id_, endpoint_id)
    return dict(json.loads(call.store.body(id_) or b"{}"))
