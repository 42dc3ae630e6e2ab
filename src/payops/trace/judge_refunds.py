"""Each refund of Stripe's beside the ledger's row of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from payops.domain.discrepancy import MatchClass
from payops.domain.money import Money
from payops.domain.payment import OPEN
from payops.domain.status import Status
from payops.sources.stripe_payment import RefundObject
from payops.trace.finding import REFUNDABLE, UNDONE, Finding
from payops.trace.story import LedgerRow, Story, moment


def settled(story: Story) -> bool:
    return bool(story.refunds) and not any(True for _ in of_refunds(story))


def of_refunds(story: Story) -> Iterator[Finding]:
    """Each refund of Stripe's beside the ledger's row of it."""
    if not story.keeps_refunds or not story.refunds_seen or not story.ledger_seen:
        return
    if story.row is None and not story.refund_rows:
        return  # the payment itself is what is missing
    left = list(story.refund_rows)
    for refund in story.refunds:
        named = [one for one in left if one.row.processor_ref == refund.id]
        if not named:
            alike = [
                one for one in left if not one.row.processor_ref and one.stored == refund.amount
            ]
            named = alike[:1] if len(alike) == 1 else []
        for one in named:
            left.remove(one)
        yield from _refund(story, refund, named)
    for one in left:
        yield from _refund_row_alone(story, one)


def _refund(story: Story, refund: RefundObject, rows: list[LedgerRow]) -> Iterator[Finding]:
    at, status = moment(refund.created), refund.status or ""
    money = Money(refund.currency, refund.amount)
    facts: dict[str, Any] = {"book": "refunds", "stripe_status": status, "word": None}
    if not rows:
        if status not in UNDONE:
            yield Finding(
                at,
                MatchClass.REFUND_MISSING,
                Status.WARN,
                f"{refund.id} gave back {money} at {at:%Y-%m-%d %H:%M:%S}, and no ledger has it",
                about="refund",
                money=money,
                refund=refund.id,
                row=story.row,
                facts=facts | {"class": "refund_missing"},
            )
        return
    row = rows[0]
    for again in rows[1:]:
        yield Finding(
            again.created or at,
            MatchClass.DUPLICATE_IN_LEDGER,
            Status.WARN,
            f"row {again.key} of {again.name} names the same refund as row {row.key}",
            money=again.money,
            refund=refund.id,
            row=again,
            facts=facts | {"class": "duplicate_in_ledger", "first_key": row.key},
        )
    match_class, severity = _refund_class(row, refund, status)
    if match_class is None:
        return
    if match_class is MatchClass.REFUND_PARTIAL_MISMATCH:
        money = Money(refund.currency, abs(refund.amount - (row.stored or 0)))
    yield Finding(
        max(at, row.created or at),
        match_class,
        severity,
        f"{refund.id} is {status} over {Money(refund.currency, refund.amount)}, row {row.key} of "
        f"{row.name} is {row.row.status} over {row.money or row.row.amount}",
        about="refund",
        money=money,
        refund=refund.id,
        row=row,
        facts=facts
        | {
            "class": match_class.value,
            "word": row.word.value if row.word else None,
            "local_status": row.row.status,
            "stripe_currency": refund.currency,
            "ledger_currency": row.currency,
        },
    )


def _refund_class(
    row: LedgerRow, refund: RefundObject, status: str
) -> tuple[MatchClass | None, Status]:
    word = row.word.value if row.word else None
    if word is None:
        return MatchClass.UNEXPECTED_STATUS, Status.WARN
    if row.currency != refund.currency:
        return MatchClass.CURRENCY_MISMATCH, Status.CRIT
    if word in UNDONE and status in UNDONE:
        return None, Status.OK
    stored = row.stored
    if stored is None or stored != refund.amount:
        more = (stored or 0) > refund.amount
        return MatchClass.REFUND_PARTIAL_MISMATCH, Status.CRIT if more else Status.WARN
    if status in ("pending", "requires_action") and word not in UNDONE:
        return None, Status.OK
    if status == "succeeded" and word in REFUNDABLE:
        return None, Status.OK
    lost = status in UNDONE and word not in ("pending", "processing")
    return MatchClass.STATUS_MISMATCH, Status.CRIT if lost else Status.WARN


def _refund_row_alone(story: Story, row: LedgerRow) -> Iterator[Finding]:
    word = row.word
    at = row.created or story.now
    if word is None:
        match_class, severity = MatchClass.UNEXPECTED_STATUS, Status.WARN
    elif row.row.processor_ref:
        match_class = MatchClass.MISSING_IN_STRIPE
        severity = Status.WARN if word.value in UNDONE else Status.CRIT
    elif word.value in UNDONE:
        return
    else:
        match_class = MatchClass.NO_REFERENCE
        severity = Status.WARN if word in OPEN else Status.CRIT
    yield Finding(
        at,
        match_class,
        severity,
        f"row {row.key} of {row.name} is a refund of {row.money or row.row.amount} that Stripe "
        "does not have for this payment",
        money=row.money,
        row=row,
        facts={
            "class": match_class.value,
            "book": "refunds",
            "word": word.value if word else None,
            "local_status": row.row.status,
            "stripe_status": None,
            "processor_ref": row.row.processor_ref,
        },
    )
