"""POSTs on PaymentIntents: create, confirm, capture, cancel; and the payer's 3-D Secure."""

from payops.lab.stripe import charging, objects
from payops.lab.stripe.call import Call
from payops.lab.stripe.cards import TEST_CARDS, Decline, payment_method
from payops.lab.stripe.errors import StripeError, missing, missing_parameter
from payops.lab.stripe.objects import StripeObject

_PLAIN = (
    "application_fee_amount",
    "automatic_payment_methods",
    "capture_method",
    "confirmation_method",
    "description",
    "error_on_requires_action",
    "mandate",
    "mandate_data",
    "off_session",
    "on_behalf_of",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
    "radar_options",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
    "use_stripe_sdk",
)
MAX_AMOUNT = 99_999_999
CANCELABLE = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
    "processing",
)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(call: Call) -> StripeObject:
    """POST /v1/payment_intents; with `confirm=true` it is attempted at once."""
    call.allow(*_PLAIN, "amount", "currency", "confirm", "customer", "metadata", "payment_method")
    amount = call.amount()
    if amount is None:
        raise missing_parameter("amount")
    if amount > MAX_AMOUNT:
        raise StripeError(
            400,
            "Amount must be no more than $999,999.99",
            code="amount_too_large",
            param="amount",
        )
    currency = call.required("currency").lower()
    if len(currency) != 3 or not currency.isalpha():
        raise StripeError(400, f"Invalid currency: {currency}", param="currency")
    confirm = call.flag("confirm")
    intent = objects.payment_intent(
        id=call.new_id("pi"),
        amount=amount,
        currency=currency,
        status="requires_payment_method",
        created=call.now(),
        livemode=call.livemode,
        customer=call.text("customer"),
        metadata=call.metadata(),
        description=call.text("description"),
        receipt_email=call.text("receipt_email"),
        capture_method=call.text("capture_method") or "automatic",
        statement_descriptor=call.text("statement_descriptor"),
        statement_descriptor_suffix=call.text("statement_descriptor_suffix"),
        setup_future_usage=call.text("setup_future_usage"),
        transfer_group=call.text("transfer_group"),
    )
    _take_payment_method(call, intent)
    call.save(intent)
    call.emit("payment_intent.created", intent)
    return _confirm(call, intent) if confirm else intent


def confirm(call: Call, id_: str) -> StripeObject:
    """POST /v1/payment_intents/{id}/confirm."""
    call.allow(*_PLAIN, "payment_method")
    intent = call.find("payment_intent", id_, param="intent")
    _require_status(intent, "confirm", CONFIRMABLE)
    _take_payment_method(call, intent)
    return _confirm(call, intent)


def capture(call: Call, id_: str) -> StripeObject:
    """POST /v1/payment_intents/{id}/capture, all of it or `amount_to_capture`."""
    call.allow("amount_to_capture", "metadata", "statement_descriptor", "final_capture")
    amount = call.amount("amount_to_capture")
    intent = call.find("payment_intent", id_, param="intent")
    _require_status(intent, "capture", ("requires_capture",))
    if amount is not None and amount > intent["amount_capturable"]:
        raise StripeError(
            400,
            "The amount to capture is greater than the amount that can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
            executed=True,
        )
    return charging.capture(call, intent, amount or intent["amount_capturable"])


def cancel(call: Call, id_: str) -> StripeObject:
    """POST /v1/payment_intents/{id}/cancel."""
    call.allow("cancellation_reason")
    reason = call.text("cancellation_reason")
    intent = call.find("payment_intent", id_, param="intent")
    _require_status(intent, "cancel", CANCELABLE)
    intent.update(
        status="canceled",
        canceled_at=call.now(),
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    call.save(intent)
    call.emit("payment_intent.canceled", intent)
    return intent


def authenticate(call: Call, id_: str, *, passed: bool) -> StripeObject:
    """What happens when the payer passes or fails 3-D Secure, in the browser.

    No endpoint of Stripe's: the control endpoint plays the payer.
    """
    intent = call.find("payment_intent", id_, param="intent")
    _require_status(intent, "authenticate", ("requires_action",))
    card = charging.card_of(call, intent["payment_method"])
    if passed:
        return charging.succeed(call, intent, card, authenticated=True)
    intent["status"] = "requires_payment_method"
    intent["next_action"] = None
    failure = Decline(
        "payment_intent_authentication_failure",
        "authentication_required",
        "The provided PaymentMethod has failed authentication. You can provide "
        "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent "
        "again.",
    )
    intent["last_payment_error"] = objects.card_error(code=failure.code, message=failure.message)
    intent["last_payment_error"]["type"] = "invalid_request_error"
    intent["payment_method"] = None
    call.save(intent)
    call.emit("payment_intent.payment_failed", intent)
    return intent


def _confirm(call: Call, intent: StripeObject) -> StripeObject:
    if intent["payment_method"] is None:
        raise StripeError(
            400,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You "
            "can either update the PaymentIntent with a payment method and then confirm it "
            "again, or confirm it again directly with a payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
            executed=True,
        )
    return charging.attempt(call, intent)


def _take_payment_method(call: Call, intent: StripeObject) -> None:
    """Attach the payment method of the request: a test card becomes one of its own."""
    given = call.text("payment_method")
    if given is None:
        return
    card = TEST_CARDS.get(given)
    if card is not None:
        method = payment_method(
            id=call.new_id("pm"),
            card=card,
            created=call.now(),
            livemode=call.livemode,
            customer=intent["customer"],
        )
        call.save(method)
        given = method["id"]
    elif call.store.body(given, call.scope, "payment_method") is None:
        raise missing("PaymentMethod", given, param="payment_method", status=400)
    intent["payment_method"] = given
    intent["status"] = "requires_confirmation"


def _require_status(intent: StripeObject, action: str, allowed: tuple[str, ...]) -> None:
    if intent["status"] in allowed:
        return
    listed = ", ".join(allowed[:-1]) + (" or " if len(allowed) > 1 else "") + allowed[-1]
    raise StripeError(
        400,
        f"You cannot {action} this PaymentIntent because it has a status of "
        f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
        f"used: {listed}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
        executed=True,
    )
