"""What is collected of an owner, held against the transaction and the connection that it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from payops.domain.external import Collection
from payops.domain.money import Money
from payops.domain.payment import PaymentStatus
from payops.reconcile.external_terms import EXACT, Terms, commission_due, exact

_LOST = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELED})


class Odd(Enum):
    """What is wrong with a collection."""

    NO_TRANSACTION = "transaction_missing"
    NO_CONNECTION = "connection_missing"
    OTHER_CONNECTION = "other_connection"
    OTHER_OWNER = "other_owner"
    CURRENCY = "currency_differs"
    AMOUNT = "amount_differs"
    NOT_PAID = "transaction_not_paid"
    TWICE = "collected_twice"


@dataclass(frozen=True)
class CollectionFinding:
    """A collection and all that is wrong with it. `money` is what it asks for, `due` the commission
    of its transaction, `difference` more than 0 when it asks too much."""

    collection: Collection
    wrong: tuple[Odd, ...]
    money: Money | None
    due: Money | None
    difference: Money | None

    @property
    def at_risk(self) -> Money | None:
        """The difference where only the amount is wrong, else all of it."""
        if self.wrong == (Odd.AMOUNT,):
            return self.difference
        return self.money


def judge_collection(
    row: Collection, terms: Terms, *, connections: bool, amounts: bool = True
) -> CollectionFinding | None:
    """None when nothing is wrong. `connections`: whether they are mapped, so that a missing one can
    be told; `amounts`: whether a collection's amount is."""
    wrong = list(_wrong_names(row, connections))
    asked = exact(row.amount)
    due = _commission_of(row, terms) if row.found and row.is_commission else None
    difference = None
    if row.found and row.is_commission and not row.is_waived:
        if terms.status(row.sale_status) in _LOST:
            wrong.append(Odd.NOT_PAID)
        if row.sale_currency != row.currency:
            wrong.append(Odd.CURRENCY)
        elif amounts and due is not None:
            right = {due, _after_refund(row, terms)}
            if asked is None or asked not in right:
                wrong.append(Odd.AMOUNT)
                off = EXACT.subtract(asked or Decimal(0), due)
                difference = Money(row.currency, terms.minor(off, row.currency))
        if row.is_collected and row.times > 1:
            wrong.append(Odd.TWICE)
    if not wrong:
        return None
    return CollectionFinding(
        row,
        tuple(wrong),
        None if asked is None else Money(row.currency, terms.minor(asked, row.currency)),
        None if due is None else Money(row.currency, terms.minor(due, row.sale_currency or "")),
        difference,
    )


def _wrong_names(row: Collection, connections: bool) -> Iterable[Odd]:
    if row.transaction is not None and not row.found:
        yield Odd.NO_TRANSACTION
    if connections and row.connection is not None and not row.connection_found:
        yield Odd.NO_CONNECTION
    elif row.found and row.connection is not None and row.connection != row.sale_connection:
        yield Odd.OTHER_CONNECTION
    owner = row.sale_owner if row.sale_owner is not None else row.connection_owner
    if row.owner is not None and owner is not None and row.owner != owner:
        yield Odd.OTHER_OWNER


def _commission_of(row: Collection, terms: Terms) -> Decimal | None:
    """Reckoned anew where there is a rate; what is stored where there is none."""
    amount, rate = exact(row.sale_amount), exact(row.sale_rate)
    if amount is None or rate is None:
        return exact(row.sale_commission)
    return commission_due(amount, rate, row.sale_currency or "", terms)


def _after_refund(row: Collection, terms: Terms) -> Decimal | None:
    amount, rate = exact(row.sale_amount), exact(row.sale_rate)
    refunded = exact(row.sale_refunded)
    if amount is None or rate is None or not refunded:
        return None
    left = EXACT.subtract(amount, refunded)
    return commission_due(left, rate, row.sale_currency or "", terms)
