"""Creating, confirming, capturing, canceling and refunding, steered by Stripe's test cards."""

import pytest
import stripe


def pay(client, card="pm_card_visa", **more):
    return client.v1.payment_intents.create(
        {"amount": 5000, "currency": "usd", "payment_method": card, "confirm": True, **more}
    )


def types(client):
    """The types of all events, oldest first."""
    return [made.type for made in client.v1.events.list({"limit": 100}).data][::-1]


def test_a_payment_succeeds_with_charge_books_and_events(client):
    intent = pay(client, metadata={"order_id": "7"}, receipt_email="a@example.com")
    assert (intent.status, intent.amount_received) == ("succeeded", 5000)
    assert intent.metadata["order_id"] == "7"
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.paid, charge.captured, charge.refunded) == (True, True, False)
    assert charge.payment_method_details.card.last4 == "4242"
    transaction = client.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert transaction.net == transaction.amount - transaction.fee == 4825
    assert client.v1.balance.retrieve().pending[0].amount == 4825
    assert types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_a_declined_card_is_a_402_that_leaves_its_traces(client, card, code, decline_code):
    with pytest.raises(stripe.CardError) as raised:
        pay(client, card)
    error = raised.value
    assert (error.http_status, error.code) == (402, code)
    assert error.error.decline_code == decline_code
    (intent,) = client.v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == decline_code
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.status, charge.failure_code, charge.paid) == ("failed", code, False)
    assert types(client)[-2:] == ["charge.failed", "payment_intent.payment_failed"]

    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})
    assert again.status == "succeeded"
    assert again.last_payment_error is None


@pytest.mark.parametrize(
    "card", ["pm_card_threeDSecure2Required", "pm_card_authenticationRequired"]
)
def test_authentication_waits_for_the_payer(client, control, card):
    intent = pay(client, card, return_url="https://example.com/back")
    assert intent.status == "requires_action"
    assert intent.next_action.type == "redirect_to_url"
    assert types(client)[-1] == "payment_intent.requires_action"
    control.post("/authenticate", {"payment_intent": intent.id, "passed": True})
    done = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert done.status == "succeeded"
    card_details = done.latest_charge.payment_method_details.card
    assert card_details.three_d_secure.result == "authenticated"


def test_a_failed_authentication_asks_for_another_card(client, control):
    intent = pay(client, "pm_card_threeDSecure2Required")
    control.post("/authenticate", {"payment_intent": intent.id, "passed": False})
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"


def test_create_then_confirm_then_not_again(client):
    intent = client.v1.payment_intents.create({"amount": 700, "currency": "EUR"})
    assert (intent.status, intent.currency) == ("requires_payment_method", "eur")
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.payment_intents.confirm(intent.id)
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert raised.value.code == "payment_intent_unexpected_state"


def test_a_manual_capture_takes_a_part(client):
    intent = pay(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 5000)
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 3000})
    assert (captured.status, captured.amount_received) == ("succeeded", 3000)
    charge = client.v1.charges.retrieve(captured.latest_charge)
    assert (charge.amount, charge.amount_captured) == (5000, 3000)
    assert types(client)[-2:] == ["charge.captured", "payment_intent.succeeded"]


def test_an_open_intent_is_canceled(client):
    intent = client.v1.payment_intents.create({"amount": 700, "currency": "usd"})
    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "duplicate"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "duplicate")
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.cancel(intent.id)


def test_refunds_add_up_and_end(client):
    intent = pay(client)
    first = client.v1.refunds.create({"payment_intent": intent.id, "amount": 2000})
    assert (first.status, first.amount) == ("succeeded", 2000)
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (2000, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        client.v1.refunds.create({"charge": charge.id, "amount": 3001})
    rest = client.v1.refunds.create({"charge": charge.id, "reason": "duplicate"})
    assert rest.amount == 3000
    assert client.v1.charges.retrieve(charge.id).refunded
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.refunds.create({"charge": charge.id})
    assert raised.value.code == "charge_already_refunded"
    assert types(client)[-2:] == ["refund.created", "charge.refunded"]
    booked = client.v1.balance_transactions.retrieve(rest.balance_transaction)
    assert (booked.amount, booked.net, booked.source) == (-3000, -3000, rest.id)


def test_the_dispute_card_brings_a_dispute(client):
    intent = pay(client, "pm_card_createDispute")
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
    assert client.v1.charges.retrieve(intent.latest_charge).disputed


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"currency": "usd"}, "amount"),
        ({"amount": 5}, "currency"),
        ({"amount": 0, "currency": "usd"}, "amount"),
        ({"amount": "many", "currency": "usd"}, "amount"),
        ({"amount": 100_000_000, "currency": "usd"}, "amount"),
        ({"amount": 5, "currency": "dollars"}, "currency"),
        ({"amount": 5, "currency": "usd", "colour": "red"}, "colour"),
        ({"amount": 5, "currency": "usd", "payment_method": "pm_none"}, "payment_method"),
        ({"amount": 5, "currency": "usd", "metadata": "x"}, "metadata"),
    ],
)
def test_wrong_parameters_create_nothing(client, parameters, param):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.payment_intents.create(parameters)
    assert (raised.value.http_status, raised.value.param) == (400, param)
    assert client.v1.payment_intents.list().data == []
