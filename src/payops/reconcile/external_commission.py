"""A transaction's stored commission held against amount x rate."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import Enum

from payops.domain.external import Sale
from payops.domain.money import Money
from payops.domain.payment import PaymentStatus
from payops.reconcile.external_terms import (
    EXACT,
    Terms,
    commission_due,
    commission_exact,
    exact,
    rounded,
)


class Wrong(Enum):
    """What is wrong with a commission."""

    UNREADABLE = "unreadable"
    RATE = "rate_out_of_range"
    MISSING = "missing"
    DIFFERS = "differs"
    UNROUNDED = "unrounded"


@dataclass(frozen=True)
class CommissionFinding:
    """A paid transaction whose commission is not amount x rate.

    `due` and `difference` (stored less due) in minor units: more than 0 is asked too much, less too
    little; None when it cannot be reckoned. `why` is what the stored number looks like.
    """

    sale: Sale
    wrong: Wrong
    due: Money | None
    difference: Money | None
    why: str = ""


def judge_commission(sale: Sale, terms: Terms) -> CommissionFinding | None:
    """None when the stored commission is right, is explained by a refund, or has no rate to be held
    against (those are counted apart)."""
    if sale.rate is None:
        return None
    amount, rate, stored = exact(sale.amount), exact(sale.rate), exact(sale.commission)
    unreadable = sale.commission is not None and stored is None
    if amount is None or rate is None or unreadable:
        named = {"amount": amount, "commission_rate": rate, "commission_amount": stored}
        given = {
            "amount": sale.amount,
            "commission_rate": sale.rate,
            "commission_amount": sale.commission,
        }
        odd = [name for name, number in named.items() if number is None and given[name] is not None]
        why = f"{', '.join(odd) or 'amount'} is no number that can be reckoned with"
        return CommissionFinding(sale, Wrong.UNREADABLE, None, None, why)
    due = commission_due(amount, rate, sale.currency, terms)
    owed = Money(sale.currency, terms.minor(due, sale.currency))
    has = stored if stored is not None else Decimal(0)
    off = Money(sale.currency, terms.minor(has, sale.currency) - owed.minor)
    if not 0 <= rate <= terms.most_rate:
        unit = "per cent" if terms.percent else "a fraction"
        why = f"a rate of {sale.rate} is outside 0..{terms.most_rate} ({unit})"
        return CommissionFinding(sale, Wrong.RATE, owed, off, why)
    if has == due or _refund_explains(sale, amount, rate, has, terms):
        return None
    if stored is None:
        return CommissionFinding(sale, Wrong.MISSING, owed, off, "none is stored")
    if rounded(stored, terms.places(sale.currency)) == due:
        why = f"{sale.commission} is the same, not rounded to the minor unit"
        return CommissionFinding(sale, Wrong.UNROUNDED, owed, off, why)
    return CommissionFinding(
        sale, Wrong.DIFFERS, owed, off, _looks_like(sale, amount, rate, stored, terms)
    )


def _refund_explains(
    sale: Sale, amount: Decimal, rate: Decimal, stored: Decimal, terms: Terms
) -> bool:
    if not stored and terms.status(sale.status) is PaymentStatus.REFUNDED:
        return True
    refunded = exact(sale.refunded)
    if not refunded:
        return False
    left = EXACT.subtract(amount, refunded)
    return stored == commission_due(left, rate, sale.currency, terms)


def _looks_like(sale: Sale, amount: Decimal, rate: Decimal, stored: Decimal, terms: Terms) -> str:
    """What was reckoned instead, where one well-known mistake gives exactly the stored number."""
    places, raw = terms.places(sale.currency), commission_exact(amount, rate, terms)
    fee = exact(sale.fee)
    of_net = commission_exact(EXACT.subtract(amount, fee), rate, terms) if fee else None
    tried: tuple[tuple[str, Decimal | None, str], ...] = (
        ("the fraction of a minor unit is cut off", raw, ROUND_DOWN),
        ("rounded half to even", raw, ROUND_HALF_EVEN),
        ("the rate was taken for a fraction: 100 times too much", raw.scaleb(2), ROUND_HALF_UP),
        ("the rate was divided by 100 twice: 100 times too little", raw.scaleb(-2), ROUND_HALF_UP),
        ("reckoned from the amount less the processor's fee", of_net, ROUND_HALF_UP),
    )
    for words, number, how in tried:
        if number is not None and rounded(number, places, how) == stored:
            return words
    return ""
