"""Stripe's documented test payment methods: the card decides how a payment ends."""

from dataclasses import dataclass

from payops.lab.stripe.objects import StripeObject


@dataclass(frozen=True, slots=True)
class Decline:
    """How an attempt fails: Stripe's error code, the issuer's reason and the message."""

    code: str
    decline_code: str
    message: str
    blocked: bool = False
    """By Stripe's own fraud rules: never sent to the network."""


@dataclass(frozen=True, slots=True)
class TestCard:
    """One test card. With `authenticates` the payer must pass 3-D Secure first."""

    __test__ = False  # no test class, whatever pytest may think of its name

    brand: str
    last4: str
    decline: Decline | None = None
    authenticates: bool = False
    disputed: bool = False
    """A successful charge is disputed as fraudulent at once."""


_DECLINED = "Your card was declined."

TEST_CARDS = {
    "pm_card_visa": TestCard("visa", "4242"),
    "pm_card_visa_debit": TestCard("visa", "5556"),
    "pm_card_mastercard": TestCard("mastercard", "4444"),
    "pm_card_amex": TestCard("amex", "8431"),
    "pm_card_discover": TestCard("discover", "9424"),
    "pm_card_createDispute": TestCard("visa", "0259", disputed=True),
    "pm_card_visa_chargeDeclined": TestCard(
        "visa", "0002", Decline("card_declined", "generic_decline", _DECLINED)
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": TestCard(
        "visa",
        "9995",
        Decline("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ),
    "pm_card_visa_chargeDeclinedLostCard": TestCard(
        "visa", "9987", Decline("card_declined", "lost_card", _DECLINED)
    ),
    "pm_card_visa_chargeDeclinedStolenCard": TestCard(
        "visa", "9979", Decline("card_declined", "stolen_card", _DECLINED)
    ),
    "pm_card_chargeDeclinedExpiredCard": TestCard(
        "visa", "0069", Decline("expired_card", "expired_card", "Your card has expired.")
    ),
    "pm_card_chargeDeclinedIncorrectCvc": TestCard(
        "visa",
        "0127",
        Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    ),
    "pm_card_chargeDeclinedProcessingError": TestCard(
        "visa",
        "0119",
        Decline(
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
    ),
    "pm_card_radarBlock": TestCard(
        "visa", "0019", Decline("card_declined", "fraudulent", _DECLINED, blocked=True)
    ),
    "pm_card_threeDSecure2Required": TestCard("visa", "3220", authenticates=True),
    "pm_card_authenticationRequired": TestCard("visa", "3184", authenticates=True),
}
"""By payment method id."""

# Stripe documents these under both names.
for _short, _long in (
    ("pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"),
    (
        "pm_card_chargeDeclinedInsufficientFunds",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
    ),
):
    TEST_CARDS[_short] = TEST_CARDS[_long]

BY_LAST4 = {card.last4: card for card in TEST_CARDS.values()}


def payment_method(
    *, id: str, card: TestCard, created: int, livemode: bool, customer: str | None = None
) -> StripeObject:
    """A PaymentMethod of a test card: the fields that errors and expansions show."""
    return {
        "id": id,
        "object": "payment_method",
        "billing_details": {
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
        },
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": "US",
            "display_brand": card.brand,
            "exp_month": 8,
            "exp_year": 2030,
            "funding": "credit",
            "last4": card.last4,
        },
        "created": created,
        "customer": customer,
        "livemode": livemode,
        "metadata": {},
        "type": "card",
    }
