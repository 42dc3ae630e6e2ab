"""Money loses no digit, drifts by no float and refuses what it would have to round."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.money import (
    THREE_DECIMAL,
    ZERO_DECIMAL,
    Money,
    MoneyAtRisk,
    exponent,
    minor_units,
    total_at_risk,
)

currencies = st.sampled_from(sorted(ZERO_DECIMAL | THREE_DECIMAL | {"usd", "eur", "isk", "ugx"}))


def test_every_cent_survives_a_float() -> None:
    for cents in range(100_001):
        assert minor_units(cents / 100, "usd") == cents


@given(currencies, st.integers(-(10**28), 10**28))
def test_round_trip(currency: str, minor: int) -> None:
    money = Money(currency, minor)
    assert minor_units(money.major, currency) == minor
    assert minor_units(str(money.major), currency.upper()) == minor
    written = str(money).removesuffix(f" {currency.upper()}").replace(",", "")
    assert minor_units(written, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "usd", 1999),
        (" -19.990 ", "usd", -1999),
        ("+.5", "usd", 50),
        ("5.", "usd", 500),
        ("1e3", "jpy", 1000),
        ("100", "isk", 10000),
        ("0.001", "kwd", 1),
        ("0e99", "usd", 0),
        (Decimal("-0"), "usd", 0),
        ("12345678901234567890123456.78", "usd", 1234567890123456789012345678),
    ],
)
def test_minor_units(amount: str | Decimal, currency: str, minor: int) -> None:
    assert minor_units(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (19.999, "usd"),
        ("19.999", "usd"),
        ("0.5", "jpy"),
        ("0.0001", "kwd"),
        (0.1 + 0.2, "usd"),
        # 29 digits, which the default decimal context would round away
        ("123456789012345678901234567.891", "usd"),
        ("1e30", "usd"),
        ("1e999999999", "usd"),
        ("1e-999999", "usd"),
        (float("nan"), "usd"),
        (float("inf"), "usd"),
        (Decimal("sNaN"), "usd"),
        (True, "usd"),
        ("", "usd"),
        ("1,234.50", "usd"),
        ("1_000", "usd"),
        ("१९", "usd"),
        ("$5", "usd"),
    ],
)
def test_minor_units_refuses(amount: str | float | Decimal, currency: str) -> None:
    with pytest.raises(ValueError, match=r"not an amount|not a whole number|larger than any"):
        minor_units(amount, currency)


def test_exponents() -> None:
    assert {exponent(code.upper()) for code in ZERO_DECIMAL} == {0}
    assert {exponent(code) for code in THREE_DECIMAL} == {3}
    assert not ZERO_DECIMAL & THREE_DECIMAL


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money("USD", 0), "0.00 USD"),
        (Money("usd", -1), "-0.01 USD"),
        (Money("jpy", 1234567), "1,234,567 JPY"),
        (Money("kwd", 12345), "12.345 KWD"),
        (Money("usd", 10**40 + 1), f"{10**38:,}.01 USD"),
    ],
)
def test_shown(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("wrong", [1.0, True, "1", None, Decimal(1)])
def test_only_whole_minor_units_are_money(wrong: object) -> None:
    with pytest.raises(TypeError):
        Money("usd", wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        MoneyAtRisk("usd", wrong, 1)  # type: ignore[arg-type]


@given(st.lists(st.builds(Money, currencies, st.integers())))
def test_totals_lose_nothing(amounts: list[Money]) -> None:
    totals = total_at_risk(amounts)
    assert sum(total.count for total in totals) == len(amounts)
    assert sum(total.minor for total in totals) == sum(amount.minor for amount in amounts)
    assert len({total.currency for total in totals}) == len(totals)
    assert totals == total_at_risk(reversed(amounts))
