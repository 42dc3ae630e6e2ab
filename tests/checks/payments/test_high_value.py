"""Payments that are larger than this shop's usually are."""

from __future__ import annotations

import pytest

from payops.checks.payments.high_value import CHECK, Facts
from payops.domain.money import Money
from payops.errors import NotConfiguredError
from tools import (
    LEDGER,
    NOW,
    assert_is,
    assert_money,
    before,
    fake_context,
    gathered,
    judged,
    money,
    settings,
)

LIMIT = (Money("usd", 500_000),)


@pytest.mark.parametrize(("count", "status"), [(0, "OK"), (1, "WARN"), (99, "WARN")])
def test_each_case(count: int, status: str) -> None:
    sums = (money("usd", 600_000 * count, count),) if count else ()
    largest = (("p1", Money("usd", 700_000)),) if count else ()
    first = before(minutes=9) if count else None
    result = judged(CHECK, Facts(NOW, 3600, LIMIT, sums, largest, first))
    assert_is(status, result, "above 5,000.00 USD in the last hour")
    if count:
        assert result.actions[0].command == "payops trace p1"
        assert_money(result, f"{6000 * count:,}.00 USD ({count})")


@pytest.mark.parametrize("key", ["p1; rm", "--help", "a b"])
def test_a_hostile_key_is_no_command(key: str) -> None:
    largest = ((key, Money("usd", 1)),)
    result = judged(CHECK, Facts(NOW, 3600, LIMIT, (money("usd", 1, 1),), largest, NOW))
    assert result.actions[0].command == ""


def test_nothing_says_what_is_high() -> None:
    with pytest.raises(NotConfiguredError, match=r"risk\.high_value"):
        gathered(CHECK, fake_context(settings(ledgers={"payments": LEDGER})))
