"""The same order, or the same customer, paid the same amount twice within minutes."""

from __future__ import annotations

import pytest

from payops.checks.payments.duplicates import CHECK, Facts
from payops.errors import NotConfiguredError
from tools import (
    LEDGER,
    NOW,
    assert_is,
    assert_money,
    fake_context,
    gathered,
    judged,
    money,
    settings,
)


@pytest.mark.parametrize(
    ("count", "status", "word"),
    [
        (0, "OK", "no order was paid twice within 10 min in the last hour"),
        (1, "WARN", "1 payment in the last hour followed one of the same order"),
        (10, "WARN", "10 payments"),
        (11, "CRIT", "charged twice?"),
    ],
)
def test_around_each_limit(count: int, status: str, word: str) -> None:
    sums = (money("usd", 500 * count, count),) if count else ()
    result = judged(CHECK, Facts(NOW, 3600, "order", sums, "p1", "p2", NOW))
    assert_is(status, result, word)
    if count:
        assert_money(result, f"{5 * count}.00 USD ({count})")
        assert result.evidence[0].what == "p2 after p1"


def test_a_ledger_that_says_neither_what_nor_who() -> None:
    with pytest.raises(NotConfiguredError, match="what was paid for"):
        gathered(CHECK, fake_context(settings(ledgers={"payments": LEDGER})))
