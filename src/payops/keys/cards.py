"""Card numbers: Luhn's sum, who issues which lengths, and which ones are for tests.

Of random numbers of 16 digits one in ten has a right sum and one in four begins as a card does:
one in forty would be called a card by these alone. What stands around a number (`numbers.py`)
decides the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Issuer:
    """`lengths` are those that cards of the brand have today; `rare` ones exist, but so many other
    numbers have them that they count only beside a word that speaks of cards."""

    brand: str
    prefix: re.Pattern[bytes]
    lengths: frozenset[int]
    rare: frozenset[int] = frozenset()


def _issuer(brand: str, prefix: bytes, lengths: set[int], rare: set[int] | None = None) -> Issuer:
    return Issuer(brand, re.compile(prefix), frozenset(lengths), frozenset(rare or ()))


# ISO/IEC 7812 ranges as the networks publish them. First match wins.
ISSUERS = (
    _issuer("visa", rb"4", {16}, {13, 19}),
    _issuer("mastercard", rb"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", {16}),
    _issuer("amex", rb"3[47]", {15}),
    _issuer(
        "maestro", rb"5018|5020|5038|5893|6304|6759|676[1-3]", {16}, {12, 13, 14, 15, 17, 18, 19}
    ),
    _issuer("discover", rb"6011|64[4-9]|65", {16}, {17, 18, 19}),
    _issuer("unionpay", rb"62", {16, 19}, {17, 18}),
    _issuer("diners", rb"3(?:0[0-5]|095|[689])", {14, 16}, {15, 17, 18, 19}),
    _issuer("jcb", rb"35(?:2[89]|[3-8])", {16}, {17, 18, 19}),
    _issuer("mir", rb"220[0-4]", {16}),
)
# By the first four digits, which tell every range apart: this is asked for each number of a log.
_BY_PREFIX = tuple(
    next((issuer for issuer in ISSUERS if issuer.prefix.match(b"%04d" % first)), None)
    for first in range(10_000)
)

# https://docs.stripe.com/testing and the numbers that every processor's pages use.
_TEST = frozenset(
    b"""4242424242424242 4000056655665556 5555555555554444 2223003122003222 5200828282828210
    5105105105105100 378282246310005 371449635398431 6011111111111117 6011000990139424
    6011981111111113 3056930009020004 36227206271667 30569309025904 38520000023237
    6555900000604105 3566002020360505 3530111333300000 6200000000000005 6200000000000047
    6205500000000000004 4111111111111111 4012888888881881 4222222222222 5431111111111111
    371144371144376 341134113411347 378734493671000 2223000048400011 6759649826438453
    5454545454545454 4917610000000000 4462030000000000 4484070000000000 4917300800000000
    6331101999990016 4005519200000004 4009348888881881 4012000077777777 4217651111111119
    4500600000000061 6304000000000000 5204740009900014 4988438843884305 4166676667666746
    5577000055770004 6445644564456445 6243030000000001 3569990010095841""".split()
)
# Stripe's for countries, declines, disputes and 3D Secure: 4000 00CC C000 0NNN, 4000 05….
_STRIPE_TEST = re.compile(rb"40000\d{4}000\d{4}")
_DOUBLED = bytes(48 + (2 * digit if digit < 5 else 2 * digit - 9) for digit in range(10))
_DOUBLE = bytes.maketrans(b"0123456789", _DOUBLED)


def luhn(digits: bytes) -> bool:
    """Whether the check digit is right.

    >>> luhn(b"4242424242424242"), luhn(b"4242424242424241")
    (True, False)
    """
    total = sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLE))
    return (total - 48 * len(digits)) % 10 == 0


def issuer_of(digits: bytes) -> tuple[str, bool] | None:
    """Brand, and whether numbers of this length are cards of it without more; None of no card."""
    issuer = _BY_PREFIX[int(digits[:4])]
    if issuer is None:
        return None
    if len(digits) in issuer.lengths:
        return issuer.brand, True
    return (issuer.brand, False) if len(digits) in issuer.rare else None


def is_prefix(four: bytes) -> bool:
    """Whether a card's number begins with these four digits."""
    return _BY_PREFIX[int(four)] is not None


def is_test_card(digits: bytes) -> bool:
    """A number that never pays."""
    return digits in _TEST or _STRIPE_TEST.fullmatch(digits) is not None


def masked_card(brand: str, digits: bytes) -> str:
    """Brand and last 4, as the Dashboard shows a card.

    PCI DSS 3.4.1 would allow the first 6 as well; they tell the person who cleans a log nothing,
    and with last 4 and Luhn's sum leave 100,000 numbers to be tried. A hash is never shown: with
    10 digits known it is undone in a second.
    """
    return f"{brand} …{digits[-4:].decode()}"
