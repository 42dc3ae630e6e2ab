"""Do payments fail for many customers, or for one?"""

from __future__ import annotations

import pytest

from payops.checks.payments.failing_customers import CHECK, Facts
from payops.errors import NotConfiguredError
from payops.sources.ledger_signs import Customer
from tools import LEDGER, NOW, assert_is, before, fake_context, gathered, judged, settings


def customer(ours: int, declined: int, attempts: int = 9) -> Customer:
    return Customer("cus_1", attempts, ours, declined, before(minutes=5) if ours else None)


@pytest.mark.parametrize(
    ("failing", "ours", "declined", "status", "word"),
    [
        (0, 0, 0, "OK", "no payment of 50 customers failed by our fault"),
        (2, 1, 0, "OK", "(single customers)"),
        (3, 1, 0, "WARN", "(several customers)"),
        (5, 1, 0, "WARN", "payments of 5 of 50 customers failed"),
        (6, 1, 0, "CRIT", "6 of 50"),
        (0, 0, 3, "OK", "no payment"),
        (0, 0, 4, "WARN", "customer cus_1 failed 4 times"),
        (1, 2, 2, "WARN", "failed 4 times"),
    ],
)
def test_around_each_limit(failing: int, ours: int, declined: int, status: str, word: str) -> None:
    result = judged(CHECK, Facts(NOW, 3600, 50, failing, (customer(ours, declined),)))
    assert_is(status, result, word)
    assert bool(result.actions) == (status != "OK")
    assert result.since == (before(minutes=5) if failing > 2 else None)


def test_nobody_paid() -> None:
    assert_is("OK", judged(CHECK, Facts(NOW, 3600, 0, 0, ())), "no customer paid")


def test_a_ledger_that_does_not_say_who_pays() -> None:
    with pytest.raises(NotConfiguredError, match="customer_id"):
        gathered(CHECK, fake_context(settings(ledgers={"payments": LEDGER})))
    with pytest.raises(NotConfiguredError, match="no ledger"):
        gathered(CHECK, fake_context())
