"""Amounts, currencies, fees, the row's own sum of refunds, and disputes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from payops.domain.discrepancy import MatchClass
from payops.domain.money import Money
from payops.domain.payment import PAID
from payops.domain.status import Status
from payops.sources.stripe_payment import BalanceLine, Intent
from payops.trace.finding import REFUNDABLE, Finding
from payops.trace.story import LedgerRow, Story, moment

_PAID_WORDS = frozenset(word.value for word in PAID)
_NO_MONEY = ("warning", "won", "prevented")


def of_money(story: Story, row: LedgerRow, intent: Intent) -> Iterator[Finding]:
    word, took = row.word, story.taken
    assert word is not None  # noqa: S101  asked before
    paid = word.value in _PAID_WORDS
    met = max(row.created or moment(intent.created), moment(intent.created))
    facts: dict[str, Any] = {
        "took": took,
        "minor": row.charged,
        "stored_text": row.row.amount,
        "stripe_currency": intent.currency,
        "ledger_currency": row.currency,
    }
    if intent.currency != row.currency:
        if took > 0 or paid:
            yield Finding(
                met,
                MatchClass.CURRENCY_MISMATCH,
                Status.CRIT,
                f"{intent.id} is in {intent.currency}, row {row.key} of {row.name} in "
                f"{row.currency}",
                row=row,
                money=Money(intent.currency, took) if took else row.money,
                facts=facts | {"class": "currency_mismatch"},
            )
        return
    minor = row.charged
    if took > 0 and paid and not _same_amount(row, minor, took):
        partial = minor is not None and took < intent.amount and minor == intent.amount
        match_class = MatchClass.PARTIAL_CAPTURE if partial else MatchClass.AMOUNT_MISMATCH
        at = moment(story.charge.created) if partial and story.charge else met
        gap = intent.amount - took if partial else took if minor is None else abs(took - minor)
        has = row.row.amount if minor is None else str(Money(row.currency, minor))
        yield Finding(
            at,
            match_class,
            Status.CRIT if minor is not None and took > minor else Status.WARN,
            f"Stripe took {Money(intent.currency, took)} by {intent.id}, row {row.key} of "
            f"{row.name} has {has}",
            row=row,
            money=Money(intent.currency, gap),
            facts=facts | {"class": match_class.value},
        )
    yield from _recorded(story, row, intent, facts)
    line = story.charge.balance_transaction if story.charge else None
    fee = row.minor(row.row.fee) if story.maps_fee else None
    if not isinstance(line, BalanceLine) or fee is None or took <= 0:
        return
    if line.currency == row.currency and line.fee != fee:
        yield Finding(
            moment(line.created),
            MatchClass.FEE_MISMATCH,
            Status.WARN,
            f"Stripe's fee is {Money(line.currency, line.fee)}, row {row.key} of {row.name} "
            f"has {Money(row.currency, fee)}",
            row=row,
            money=Money(line.currency, abs(line.fee - fee)),
            facts=facts | {"class": "fee_mismatch"},
        )


def _same_amount(row: LedgerRow, minor: int | None, took: int) -> bool:
    return minor is not None and (
        minor == took or (row.ledger.truncated_cents and took == minor - 1)
    )


def _recorded(
    story: Story, row: LedgerRow, intent: Intent, facts: dict[str, Any]
) -> Iterator[Finding]:
    """The row's own sum of refunds, beside Stripe's."""
    recorded = row.minor(row.row.refunded_amount)
    word = row.word
    if recorded is None or word is None or word.value not in REFUNDABLE or not story.refunds_seen:
        return
    given = story.given
    if story.taken <= 0 or recorded == given or story.on_its_way:
        return
    match_class = MatchClass.REFUND_PARTIAL_MISMATCH if recorded else MatchClass.REFUND_MISSING
    last = story.refunds[-1].created if story.refunds else intent.created
    yield Finding(
        moment(last),
        match_class,
        Status.CRIT if recorded > given else Status.WARN,
        f"Stripe gave back {Money(intent.currency, given)} of {intent.id}, row {row.key} of "
        f"{row.name} has {Money(row.currency, recorded)}",
        about="refund",
        row=row,
        money=Money(intent.currency, abs(recorded - given)),
        facts=facts
        | {
            "class": match_class.value,
            "stripe_status": intent.status,
            "word": None,
            "book": "payments",
        },
    )


def ever_disputed(story: Story) -> bool:
    return bool(story.disputes) or any(one.disputed for one in story.charges)


def of_dispute(story: Story, row: LedgerRow) -> Iterator[Finding]:
    word = row.word
    if word is None or word.value not in REFUNDABLE or story.taken <= 0:
        return
    live = [one for one in story.disputes if not one.status.startswith(_NO_MONEY)]
    disputed = bool(live) or (ever_disputed(story) and not story.disputes)
    if not disputed:
        return
    first = live[0] if live else None
    charge = story.charge
    at = moment(first.created) if first else moment(charge.created) if charge else story.now
    id_ = first.id if first else f"the charge {charge.id if charge else ''}"
    money = Money(first.currency, first.amount) if first else None
    yield Finding(
        at,
        MatchClass.DISPUTE_UNRECORDED,
        # One that is answered has no deadline any more.
        Status.CRIT if first is None or first.status == "needs_response" else Status.WARN,
        f"{id_} is disputed since {at:%Y-%m-%d %H:%M:%S}, and row {row.key} of {row.name} says "
        f"{row.row.status}",
        about="dispute",
        row=row,
        money=money,
        facts={"class": "dispute_unrecorded"},
    )
