"""Money is an integer number of minor units and a currency; never a float.

Exponents are Stripe's (docs, 'Supported currencies', zero- and three-decimal lists).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from payops.domain.text import shortened

ZERO_DECIMAL = frozenset(
    {
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    }
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_MOST_DIGITS = 30
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
# ISK and UGX have no minor unit in ISO 4217, but Stripe's API takes two decimals in multiples of
# 100 for ISK; for UGX Stripe's own sources disagree, and two decimals is the safer reading.


def exponent(currency: str) -> int:
    """How many decimals the minor unit of `currency` has at Stripe: 0, 2 or 3.

    >>> exponent("JPY"), exponent("usd"), exponent("kwd"), exponent("isk")
    (0, 2, 3, 2)
    """
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


@dataclass(frozen=True, order=True)
class Money:
    """An amount in minor units (`1999` is $19.99, `1999` JPY is ¥1999)."""

    currency: str
    minor: int

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError(f"money is whole minor units, not {self.minor!r}")
        object.__setattr__(self, "currency", self.currency.lower())

    @property
    def major(self) -> Decimal:
        """The amount as people write it: exact, with the currency's number of decimals."""
        return _shifted(Decimal(self.minor), -exponent(self.currency))

    def __str__(self) -> str:
        """`1,234.50 USD`: the code behind the number is clear in any alphabet and in plain text.

        >>> str(Money("usd", 123450)), str(Money("vnd", -5000))
        ('1,234.50 USD', '-5,000 VND')
        """
        return f"{self.major:,.{exponent(self.currency)}f} {self.currency.upper()}"


@dataclass(frozen=True)
class MoneyAtRisk:
    """How many payments of one currency a finding touches, and their sum in minor units."""

    currency: str
    minor: int
    count: int

    def __post_init__(self) -> None:
        if any(not isinstance(n, int) or isinstance(n, bool) for n in (self.minor, self.count)):
            raise TypeError(f"money is whole minor units, not {self.minor!r} ({self.count!r})")
        object.__setattr__(self, "currency", self.currency.lower())

    def __str__(self) -> str:
        """`59.97 USD (3)`."""
        return f"{Money(self.currency, self.minor)} ({self.count:,})"


def total_at_risk(amounts: Iterable[Money]) -> tuple[MoneyAtRisk, ...]:
    """Sum single payments by currency, largest count first, then by currency.

    >>> [str(m) for m in total_at_risk([Money("usd", 5), Money("jpy", 7), Money("USD", 1)])]
    ['0.06 USD (2)', '7 JPY (1)']
    """
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for amount in amounts:
        entry = sums[amount.currency]
        entry[0] += amount.minor
        entry[1] += 1
    at_risk = (MoneyAtRisk(currency, minor, count) for currency, (minor, count) in sums.items())
    return tuple(sorted(at_risk, key=lambda money: (-money.count, money.currency)))


def minor_units(amount: Decimal | int | float | str, currency: str) -> int:
    """A major-unit amount (`19.99`) as minor units (`1999`), exactly.

    A float is read by its shortest decimal form, so 19.99 is 1999 and not 1998. Raises ValueError
    when the amount is not a number, has more decimals than the currency, or is longer than any
    amount can be (30 digits): never rounds silently.

    >>> minor_units("19.99", "usd"), minor_units(19.99, "usd"), minor_units(Decimal("7"), "jpy")
    (1999, 1999, 7)
    """
    written = str(amount).strip()
    if isinstance(amount, bool) or not _NUMBER.fullmatch(written):
        raise ValueError(f"{_shown(amount)} is not an amount")
    exact = Decimal(written)
    if exact and exact.adjusted() >= _MOST_DIGITS:
        raise ValueError(f"{_shown(amount)} is larger than any amount")
    if not exact:
        return 0
    scaled = _shifted(exact, exponent(currency))
    if scaled != (whole := int(scaled)):
        raise ValueError(f"{_shown(amount)} is not a whole number of minor units of {currency}")
    return whole


def _shifted(number: Decimal, places: int) -> Decimal:
    """`number` times ten to the `places`, with every digit: `scaleb` rounds to 28 of them."""
    sign, digits, power = number.as_tuple()
    assert isinstance(power, int)  # noqa: S101  finite numbers only come here
    return Decimal((sign, digits, power + places))


def _shown(amount: object) -> str:
    return shortened(repr(amount), 60)
