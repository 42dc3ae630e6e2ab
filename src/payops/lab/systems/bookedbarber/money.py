"""How BookedBarber counts: prices as binary floating point, cents cut off, gift certificates."""

from __future__ import annotations

from uuid import UUID

_GIFTS = (500, 1_000, 2_000)
_LEAST_WITH_GIFT = 3_000


def gift(price: int, payment_id: UUID) -> int:
    """What a gift certificate pays of it, in cents; one payment in eight has one."""
    if price < _LEAST_WITH_GIFT or payment_id.int % 8:
        return 0
    return _GIFTS[payment_id.int // 8 % len(_GIFTS)]


def charged(price: int, payment_id: UUID) -> int:
    """The cents that Stripe is asked for: `int(amount * 100)`, which cuts 19.99 to 1998.

    >>> charged(1999, UUID(int=1)), charged(2000, UUID(int=1)), charged(820, UUID(int=1))
    (1998, 2000, 819)
    """
    final = price / 100 - gift(price, payment_id) / 100
    return int(final * 100)


def price_of(asked: int, payment_id: UUID) -> int:
    """A price, in cents, for which Stripe was asked for `asked`; the one that was cut, if any."""
    for gifted in (*_GIFTS, 0):
        for price in (asked + gifted + 1, asked + gifted):
            if gift(price, payment_id) == gifted and charged(price, payment_id) == asked:
                return price
    raise ValueError(f"no price is charged as {asked} cents")
