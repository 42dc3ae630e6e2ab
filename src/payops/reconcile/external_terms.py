"""Outside processors' numbers and statuses: exact text, reckoned with Decimal, never float.

A commission is amount x rate rounded to the currency's minor unit, half a unit away from zero (half
up); a stored one has to be that to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from payops.domain.money import exponent
from payops.domain.payment import PaymentStatus

ROUNDING = "half up: half a minor unit away from zero"
# Enough for the product of any two numbers below: nothing is rounded but on purpose.
EXACT = Context(prec=1000)
# Larger than any payment; a program that reads the report could not hold it.
_MOST_DIGITS = 16


@dataclass(frozen=True)
class Terms:
    """How the mapping writes numbers and statuses."""

    statuses: Mapping[str, PaymentStatus] = field(default_factory=dict)
    match_case: bool = True
    percent: bool = True
    in_minor: bool = False

    @classmethod
    def of(
        cls,
        statuses: Mapping[str, Sequence[str]],
        *,
        match_case: bool = True,
        percent: bool = True,
        in_minor: bool = False,
    ) -> Terms:
        """From the mapping's `statuses`: payops' word, the table's own values."""
        words = {
            raw if match_case else raw.lower(): PaymentStatus(word)
            for word, raws in statuses.items()
            for raw in raws
        }
        return cls(words, match_case, percent, in_minor)

    @property
    def most_rate(self) -> int:
        """The whole amount, as a rate."""
        return 100 if self.percent else 1

    def status(self, raw: str | None) -> PaymentStatus | None:
        """What a value means; None for one that the mapping does not know."""
        if raw is None:
            return None
        return self.statuses.get(raw if self.match_case else raw.lower())

    def places(self, currency: str) -> int:
        """Decimals of a whole minor unit, as the table writes amounts."""
        return 0 if self.in_minor else exponent(currency)

    def minor(self, amount: Decimal, currency: str) -> int:
        """Whole minor units, half up."""
        places = exponent(currency) if not self.in_minor else 0
        return int(rounded(EXACT.multiply(amount, Decimal(10) ** places), 0))


def exact(text: str | None) -> Decimal | None:
    """A number's text as it stands; None for NULL, NaN, infinity, and larger than any payment."""
    try:
        number = EXACT.create_decimal(text.strip()) if text else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite():
        return None
    return number if not number or number.adjusted() < _MOST_DIGITS else None


def rounded(number: Decimal, places: int, how: str = ROUND_HALF_UP) -> Decimal:
    """To so many decimals.

    >>> rounded(Decimal("2.125"), 2), rounded(Decimal("-2.125"), 2)
    (Decimal('2.13'), Decimal('-2.13'))
    """
    return number.quantize(Decimal(1).scaleb(-places), how, Context(prec=1000))


def commission_due(amount: Decimal, rate: Decimal, currency: str, terms: Terms) -> Decimal:
    """What is owed of an amount, in the table's unit, to the minor unit.

    >>> commission_due(Decimal("19.99"), Decimal("15.0"), "usd", Terms())
    Decimal('3.00')
    """
    return rounded(commission_exact(amount, rate, terms), terms.places(currency))


def commission_exact(amount: Decimal, rate: Decimal, terms: Terms) -> Decimal:
    """Amount x rate in the table's unit, not rounded."""
    product = EXACT.multiply(amount, rate)
    return product.scaleb(-2, EXACT) if terms.percent else product
