"""The people, prices, cards and misfortunes of a small shop."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from payops.lab.stripe.objects import new_id

_FIRST_NAMES = ("Ada", "Ben", "Carla", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Ines", "Jonas")
_LAST_NAMES = ("Abbas", "Berg", "Castro", "Diallo", "Eriksen", "Garcia", "Ito", "Kim", "Okafor")
# Twenty customers of a US shop: where they live decides the currency that they are charged in.
_CURRENCIES = ("usd",) * 15 + ("eur",) * 3 + ("jpy", "kwd")
_COUNTRIES = {"usd": "US", "eur": "DE", "jpy": "JP", "kwd": "KW", "vnd": "VN"}
_CARDS = (("visa", "4242"), ("visa", "1881"), ("mastercard", "4444"), ("amex", "8431"))
# Price range in whole minor units and the step between prices: ¥500-¥30,000; 1.500-60.000 KWD,
# whose last digit Stripe wants to be 0 (STRIPE.md, 'Objects').
_PRICES = {"usd": (499, 24_999, 1), "eur": (499, 19_999, 1), "jpy": (500, 30_000, 1)}
_PRICES |= {"kwd": (1_500, 60_000, 10), "vnd": (99_000, 2_990_000, 1_000)}
# Ten-thousandths of a US cent for one minor unit: 1.0834 $/€, 0.0067 $/¥, 3.25 $/KWD.
_CENTS = {"usd": 10_000, "eur": 10_834, "jpy": 6_700, "kwd": 3_250, "vnd": 39}
_EXCHANGE_RATES = {"usd": None, "eur": 1.0834, "jpy": 0.0067, "kwd": 3.25, "vnd": 0.000039}

SETTLEMENT_CURRENCY = "usd"
DISPUTE_FEE = 1_500  # Stripe: $15.00 in the US


@dataclass(frozen=True)
class Shopper:
    """A customer at Stripe with one card. `created` is in epoch seconds, before the window."""

    id: str
    name: str
    email: str
    created: int
    currency: str
    country: str
    payment_method: str
    card_brand: str
    card_last4: str


@dataclass(frozen=True)
class Decline:
    """Why a payment failed: Stripe's words.

    `decline_code` is the issuer's reason, when the issuer gave one. `charged` is False when it
    failed before there was a charge (authentication).
    """

    code: str
    message: str
    decline_code: str | None = None
    charged: bool = True

    @property
    def word(self) -> str:
        """What the ledger stores in `failure_code`: the most exact word there is."""
        return self.decline_code or self.code


_DECLINED = "Your card was declined."
_NO_FUNDS = "Your card has insufficient funds."
DECLINES = (
    Decline("card_declined", _DECLINED, "generic_decline"),
    Decline("card_declined", _NO_FUNDS, "insufficient_funds"),
    Decline("card_declined", _DECLINED, "do_not_honor"),
    Decline("expired_card", "Your card has expired.", "expired_card"),
    Decline("card_declined", _NO_FUNDS, "insufficient_funds"),
    Decline("incorrect_cvc", "Your card's security code is incorrect.", "incorrect_cvc"),
    Decline("card_declined", _DECLINED, "lost_card"),
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data "
    "or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
    charged=False,
)


def shoppers(
    count: int, before: int, rng: random.Random, usual: Sequence[str] = ()
) -> list[Shopper]:
    """`count` customers, registered 31 to 400 days before the epoch second `before`.

    So long ago that Stripe no longer keeps the events of it (30 days). `usual` are the currencies
    that they pay in, this shop's mixture when it is empty.
    """
    mixture = tuple(usual) or _CURRENCIES
    people: list[Shopper] = []
    currencies: list[str] = []
    for number in range(count):
        currencies = currencies or rng.sample(mixture, len(mixture))
        currency = currencies.pop()
        first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
        brand, last4 = rng.choice(_CARDS)
        people.append(
            Shopper(
                id=new_id("cus", rng),
                name=f"{first} {last}",
                email=f"{first}.{last}{number + 1}@example.com".lower(),
                created=before - rng.randint(31 * 86_400, 400 * 86_400),
                currency=currency,
                country=_COUNTRIES[currency],
                payment_method=new_id("pm", rng),
                card_brand=brand,
                card_last4=last4,
            )
        )
    return people


def price(currency: str, rng: random.Random) -> int:
    """An amount in minor units of `currency`: many small ones, few large ones."""
    low, high, _ = _PRICES[currency]
    return round_to_step(low + int((high - low) * rng.random() ** 2.5), currency)


def round_to_step(amount: int, currency: str) -> int:
    """`amount` (minor units) rounded down to what Stripe takes in `currency`."""
    step = _PRICES[currency][2]
    return amount // step * step


def settled(amount: int, currency: str) -> int:
    """What `amount` minor units of `currency` are in the settlement currency's (US cents)."""
    return (amount * _CENTS[currency] + 5_000) // 10_000


def exchange_rate(currency: str) -> float | None:
    """Major units of the settlement currency for one of `currency`; None when it is the same."""
    return _EXCHANGE_RATES[currency]


def fee(cents: int, currency: str) -> int:
    """Stripe's fee on a charge of `cents`: 2.9 % + 30 cents, and 2.5 % more from abroad."""
    per_mille = 29 if currency == SETTLEMENT_CURRENCY else 54
    return (cents * per_mille + 500) // 1_000 + 30
