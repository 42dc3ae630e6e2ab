"""One attempt to charge a PaymentIntent: charge, balance transaction, events."""

from payops.lab.stripe import objects
from payops.lab.stripe.call import Call
from payops.lab.stripe.cards import BY_LAST4, Decline, TestCard
from payops.lab.stripe.errors import StripeError
from payops.lab.stripe.objects import StripeObject


def card_of(call: Call, payment_method: str) -> TestCard:
    """The test card behind a stored payment method; any other card succeeds."""
    method = call.find("payment_method", payment_method, param="payment_method", status=400)
    last4 = (method.get("card") or {}).get("last4", "4242")
    return BY_LAST4.get(last4, BY_LAST4["4242"])


def attempt(call: Call, intent: StripeObject) -> StripeObject:
    """Confirm an intent that has a payment method; the intent as it then is.

    Raises StripeError 402, executed, when the card is declined.
    """
    card = card_of(call, intent["payment_method"])
    if card.authenticates:
        return _ask_for_authentication(call, intent)
    if card.decline is not None:
        decline(call, intent, card, card.decline)
    return succeed(call, intent, card)


def _ask_for_authentication(call: Call, intent: StripeObject) -> StripeObject:
    url = f"https://hooks.stripe.com/3d_secure_2/hosted?payment_intent={intent['id']}"
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": call.text("return_url"), "url": url},
    }
    call.save(intent)
    call.emit("payment_intent.requires_action", intent)
    return intent


def decline(call: Call, intent: StripeObject, card: TestCard, why: Decline) -> None:
    """Record a declined attempt and raise it as StripeError 402."""
    method = call.store.get(intent["payment_method"], call.scope)
    blocked = objects.outcome(
        network_status="not_sent_to_network",
        type="blocked",
        reason="highest_risk_level",
        seller_message="Stripe blocked this payment as too risky.",
        risk_level="highest",
        risk_score=95,
    )
    declined = objects.outcome(
        network_status="declined_by_network",
        type="issuer_declined",
        reason=why.decline_code,
        seller_message=f"The bank returned the decline code `{why.decline_code}`.",
        risk_score=20,
    )
    charge = _charge(
        call,
        intent,
        card,
        status="failed",
        failure_code=why.code,
        failure_message=why.message,
        outcome=blocked if why.blocked else declined,
    )
    error = objects.card_error(
        code=why.code, message=why.message, decline_code=why.decline_code, charge=charge["id"]
    )
    intent["last_payment_error"] = {**error, "payment_method": method}
    intent["status"] = "requires_payment_method"
    intent["latest_charge"] = charge["id"]
    intent["payment_method"] = None
    intent["next_action"] = None
    call.save(charge)
    call.save(intent)
    call.emit("charge.failed", charge)
    call.emit("payment_intent.payment_failed", intent)
    raise StripeError(
        402,
        why.message,
        type="card_error",
        code=why.code,
        decline_code=why.decline_code,
        charge=charge["id"],
        payment_intent=intent,
        payment_method=method,
        executed=True,
        headers=(("Stripe-Should-Retry", "false"),),
    )


def succeed(
    call: Call, intent: StripeObject, card: TestCard, *, authenticated: bool = False
) -> StripeObject:
    """Record a successful attempt: captured at once, or authorized for a manual capture."""
    manual = intent["capture_method"] == "manual"
    three_d_secure = {"authentication_flow": "challenge", "result": "authenticated"}
    charge = _charge(
        call,
        intent,
        card,
        status="succeeded",
        captured=not manual,
        disputed=card.disputed,
        three_d_secure={**three_d_secure, "version": "2.2.0"} if authenticated else None,
    )
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    intent["last_payment_error"] = None
    if manual:
        intent["status"] = "requires_capture"
        intent["amount_capturable"] = intent["amount"]
        call.save(charge)
        call.save(intent)
        call.emit("charge.succeeded", charge)
        call.emit("payment_intent.amount_capturable_updated", intent)
        return intent
    settle(call, charge, intent["amount"])
    _finish(call, intent, intent["amount"])
    call.emit("charge.succeeded", charge)
    call.emit("payment_intent.succeeded", intent)
    if card.disputed:
        _dispute(call, charge)
    return intent


def capture(call: Call, intent: StripeObject, amount: int) -> StripeObject:
    """Capture `amount` minor units of an authorized intent."""
    charge = call.find("charge", intent["latest_charge"], param="intent")
    charge["captured"] = True
    charge["amount_captured"] = amount
    settle(call, charge, amount)
    _finish(call, intent, amount)
    call.emit("charge.captured", charge)
    call.emit("payment_intent.succeeded", intent)
    return intent


def settle(call: Call, charge: StripeObject, amount: int) -> None:
    """Book `amount` of a charge, less Stripe's fee of 2.9 % and 30, and save the charge."""
    transaction = objects.balance_transaction(
        id=call.new_id("txn"),
        amount=amount,
        currency=charge["currency"],
        created=call.now(),
        type="charge",
        source=charge["id"],
        fee=round(amount * 29 / 1000) + 30,
        status="pending",
        description=charge["description"],
    )
    charge["balance_transaction"] = transaction["id"]
    call.save(charge)
    book(call, transaction)


def book(call: Call, transaction: StripeObject) -> None:
    """Save a balance transaction and move the account's pending balance by its net."""
    call.save(transaction)
    try:
        balance = call.store.get(f"balance:{call.scope}")
    except KeyError:
        balance = objects.balance(livemode=call.livemode)
    currency = transaction["currency"]
    for part in balance["pending"]:
        if part["currency"] == currency:
            break
    else:
        part = {"amount": 0, "currency": currency, "source_types": {"card": 0}}
        balance["pending"].append(part)
    part["amount"] += transaction["net"]
    part["source_types"] = {"card": part["amount"]}
    call.save(balance)


def _finish(call: Call, intent: StripeObject, amount: int) -> None:
    intent["status"] = "succeeded"
    intent["amount_received"] = amount
    intent["amount_capturable"] = 0
    call.save(intent)


def _charge(
    call: Call, intent: StripeObject, card: TestCard, *, status: str, **more: object
) -> StripeObject:
    return objects.charge(
        id=call.new_id("ch"),
        amount=intent["amount"],
        currency=intent["currency"],
        status=status,
        created=call.now(),
        livemode=call.livemode,
        payment_intent=intent["id"],
        customer=intent["customer"],
        description=intent["description"],
        metadata=intent["metadata"],
        payment_method=intent["payment_method"],
        receipt_email=intent["receipt_email"],
        card_brand=card.brand,
        card_last4=card.last4,
        **more,  # type: ignore[arg-type]
    )


def _dispute(call: Call, charge: StripeObject) -> None:
    dispute = objects.dispute(
        id=call.new_id("dp"),
        amount=charge["amount"],
        currency=charge["currency"],
        status="needs_response",
        reason="fraudulent",
        created=call.now(),
        livemode=call.livemode,
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
    )
    transaction = objects.balance_transaction(
        id=call.new_id("txn"),
        amount=-charge["amount"],
        currency=charge["currency"],
        created=call.now(),
        type="adjustment",
        reporting_category="dispute",
        source=dispute["id"],
        fee=1500,  # Stripe's dispute fee in the US
        status="pending",
    )
    dispute["balance_transactions"] = [transaction]
    call.save(dispute)
    book(call, transaction)
    call.emit("charge.dispute.created", dispute)
    call.emit("charge.dispute.funds_withdrawn", dispute)
