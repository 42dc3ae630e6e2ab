"""Is the account's balance negative?"""

from __future__ import annotations

import pytest

from payops.checks.stripe.balance import CHECK, Facts
from payops.errors import Failure, NotConfiguredError
from stripe_answers import FakeStripe
from tools import NOW, assert_is, assert_money, fake_context, gathered, judged


@pytest.mark.parametrize(
    ("available", "pending", "status", "words"),
    [
        ({}, {}, "OK", "nothing available"),
        ({"usd": 0}, {}, "OK", "0.00 USD available; nothing is owed"),
        ({"usd": -1}, {"usd": 1}, "OK", "0.01 USD owed to Stripe, which what is pending"),
        ({"usd": -2}, {"usd": 1}, "WARN", "the balance is negative: 0.02 USD owed"),
        ({"usd": -2}, {"eur": 9}, "WARN", "0.02 USD owed"),
        ({"usd": -2, "jpy": -5}, {}, "CRIT", "0.02 USD, 5 JPY owed"),
    ],
)
def test_around_nothing(
    available: dict[str, int], pending: dict[str, int], status: str, words: str
) -> None:
    result = judged(CHECK, Facts(NOW, available, pending))
    assert_is(status, result, words)
    assert bool(result.actions) == (status != "OK")


def test_gather_reads_both_kinds() -> None:
    told = {
        "available": [{"amount": -500, "currency": "usd", "source_types": {"card": -500}}],
        "pending": [{"amount": 20, "currency": "usd"}],
        "livemode": True,
    }
    found = gathered(CHECK, fake_context(stripe=FakeStripe({"/v1/balance": told})))
    assert found == Facts(NOW, {"usd": -500}, {"usd": 20})
    assert_money(judged(CHECK, found), "5.00 USD (1)")


def test_a_key_that_may_not_read_it() -> None:
    stripe = FakeStripe({"/v1/balance": Failure.PERMISSION})
    with pytest.raises(NotConfiguredError, match="'Balance: read'"):
        gathered(CHECK, fake_context(stripe=stripe))
