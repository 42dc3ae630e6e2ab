"""What each type of event tells the ledger, and whether a ledger's word shows it.

A state only moves forward: a row that is `refunded` has had its `succeeded`, so an event that tells
an earlier state is shown by a later one too. A customer may try again after a failure, though, and
then a newer event takes an older one's place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum

from payops.domain.money import Money
from payops.domain.payment import PaymentStatus as Word
from payops.domain.webhook import PathEvent


class Book(Enum):
    """Which of our tables an event moves."""

    PAYMENTS = "payments"
    REFUNDS = "refunds"


_PAID = Word.SUCCEEDED
# The words by which the payments' table shows what a type tells; any of them, and any later one.
_PAYMENTS: dict[str, tuple[Word, ...]] = {
    "payment_intent.processing": (Word.PROCESSING,),
    "payment_intent.requires_action": (Word.REQUIRES_ACTION,),
    "payment_intent.payment_failed": (Word.FAILED,),
    "payment_intent.canceled": (Word.CANCELED,),
    "payment_intent.succeeded": (_PAID,),
    "checkout.session.completed": (_PAID,),
    "checkout.session.async_payment_succeeded": (_PAID,),
    "checkout.session.async_payment_failed": (Word.FAILED,),
    "charge.refunded": (Word.REFUNDED, Word.PARTIALLY_REFUNDED),
    "charge.dispute.created": (Word.DISPUTED,),
}
_REFUNDS: dict[str, Word | None] = {
    "refund.created": None,  # that there is a row is all that it tells
    "refund.updated": None,
    "charge.refund.updated": None,
    "refund.failed": Word.FAILED,
}
# Stripe's own word for a refund's state, where an event tells one that ends it.
_REFUND_ENDS = {
    "succeeded": Word.SUCCEEDED,
    "failed": Word.FAILED,
    "canceled": Word.CANCELED,
}
_RANK = {
    Word.PENDING: 0,
    Word.REQUIRES_ACTION: 1,
    Word.PROCESSING: 1,
    Word.FAILED: 2,
    Word.CANCELED: 3,
    Word.SUCCEEDED: 3,
    Word.DISPUTED: 4,
    Word.PARTIALLY_REFUNDED: 4,
    Word.REFUNDED: 4,
}
# Events that tell of money which came or went: what the ledger is wrong by while it lacks them.
_PAID_TYPES = frozenset(
    {
        "payment_intent.succeeded",
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
    }
)


def book_of(event: PathEvent) -> Book | None:
    """The table that should show the event; None for a type that moves no ledger."""
    if event.type in _REFUNDS:
        return Book.REFUNDS
    if event.type == "checkout.session.completed" and not event.payment_intent:
        return None  # nothing is paid yet, or nothing had to be
    return Book.PAYMENTS if event.type in _PAYMENTS else None


def words_of(event: PathEvent) -> tuple[Word, ...]:
    """The words that show it in the payments' table; empty for one that moves it not.

    A refund of the rest is not shown by a row that knows of the first part alone.
    """
    if event.type == "charge.refunded" and event.refunded:
        return (Word.REFUNDED,)
    return _PAYMENTS.get(event.type, ())


def refund_word(event: PathEvent) -> Word | None:
    """The state of the refund that the event tells; None where a row alone shows it."""
    return _REFUNDS.get(event.type) or (
        _REFUND_ENDS.get(event.object_status) if event.type != "refund.created" else None
    )


def shows(found: Word, told: Collection[Word]) -> bool:
    """Whether a row in state `found` has had an event that tells one of `told`, or a later one.

    >>> shows(Word.REFUNDED, {Word.SUCCEEDED}), shows(Word.PENDING, {Word.SUCCEEDED})
    (True, False)
    >>> shows(Word.CANCELED, {Word.SUCCEEDED}), shows(Word.PROCESSING, {Word.REQUIRES_ACTION})
    (False, False)
    """
    if found in told:
        return True
    # A dispute and a refund may follow each other, and one word cannot say both.
    if found is Word.REFUNDED and Word.DISPUTED in told:
        return True
    return _RANK[found] > max(_RANK[each] for each in told)


def rank(event: PathEvent) -> int:
    """How far the event takes a payment: of two in the same second the farther one is the later."""
    return max((_RANK[each] for each in words_of(event)), default=0)


def ends(event: PathEvent) -> bool:
    """Whether it tells how a payment ends; a failure does not, since the customer may try again."""
    return rank(event) > _RANK[Word.FAILED]


def money_key(event: PathEvent) -> str | None:
    """Events with the same key tell of the same money; None for one that tells of none.

    A payment is told by its intent and by its session, a refund by the charge and by itself: the
    key is the intent with what happened to it, so that it is counted once.
    """
    about = event.payment_intent or event.object_id
    if event.type in _PAID_TYPES:
        return f"paid {about}"
    if event.type in {"charge.refunded", "refund.created"}:
        return f"refunded {about}"
    if event.type == "charge.dispute.created":
        return f"disputed {about}"
    return None


def money_told(events: Iterable[PathEvent]) -> dict[str, Money]:
    """The money that events tell of, by `money_key`: each once, however many events tell of it.

    Refunds of one payment are added up by `refund.created`, which has each refund's own amount;
    where there is none of them, `charge.refunded` has the charge's amount, the largest that can be
    missing.
    """
    single: dict[str, Money] = {}
    refunds: dict[str, dict[str, Money]] = {}
    for event in events:
        key = money_key(event)
        if key is None or event.amount is None:
            continue
        if event.type == "refund.created":
            refunds.setdefault(key, {})[event.object_id] = event.amount
        elif key not in single or event.amount.minor > single[key].minor:
            single[key] = event.amount
    for key, each in refunds.items():
        currencies = {amount.currency for amount in each.values()}
        if len(currencies) == 1:
            single[key] = Money(currencies.pop(), sum(amount.minor for amount in each.values()))
    return single
