"""The ledger's word beside Stripe's state: a row and an intent that belong together. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from payops.domain.discrepancy import MatchClass
from payops.domain.money import Money
from payops.domain.pairs import verdict
from payops.domain.payment import OPEN, PAID, PaymentStatus
from payops.domain.status import Status
from payops.trace.finding import UNDONE, Finding, became
from payops.trace.judge_money import ever_disputed
from payops.trace.judge_refunds import of_refunds, settled
from payops.trace.story import LedgerRow, Story


def _sayable(story: Story, row: LedgerRow, state: str) -> str:
    """How much of Stripe's state this ledger can say in its status at all."""
    words, word = row.ledger.statuses, row.word
    if state == "action" and not words.get("requires_action") and word in OPEN:
        return "waiting"
    records = story.keeps_refunds or row.row.refunded_amount is not None
    if word is PaymentStatus.SUCCEEDED and records:
        if state == "refunded" and not words.get("refunded"):
            return "paid"
        if state == "part_refunded" and not words.get("partially_refunded"):
            return "paid"
    return state


def of_pair(story: Story, row: LedgerRow, true: str) -> Iterator[Finding]:
    word = row.word
    assert word is not None  # noqa: S101  asked before
    if word is PaymentStatus.DISPUTED and story.taken > 0 and ever_disputed(story):
        return
    state = _sayable(story, row, true)
    found = verdict(word.value, state)
    match_class, severity, risk = found.match_class, found.severity, found.risk
    if match_class in (MatchClass.MATCHED, MatchClass.IN_FLIGHT):
        return
    about_refunds = match_class in (MatchClass.REFUND_MISSING, MatchClass.REFUND_PARTIAL_MISMATCH)
    if about_refunds:
        if story.on_its_way or not story.refunds_seen:
            return
        cases = list(of_refunds(story))
        if cases:
            return  # told there, with the refund's id
        if story.keeps_refunds and settled(story) and state != "paid":
            match_class, severity, risk = MatchClass.STATUS_MISMATCH, Status.WARN, "none"
    at = _parted(story, row, true, believed=word in PAID and true not in _TOOK)
    intent = story.intent
    status = intent.status if intent else (story.sessions[-1].status or "")
    yield Finding(
        at,
        match_class,
        severity,
        _said(story, row, true, found.why),
        about=_about(true, about_refunds),
        money=_at_risk(story, row, risk),
        row=row,
        facts={
            "class": match_class.value,
            "word": word.value,
            "true_state": true,
            "stripe_status": status,
            "book": "payments",
            "failed_refunds": sum(one.status in UNDONE for one in story.refunds),
        },
    )


_TOOK = frozenset({"paid", "part_refunded", "refunded"})
_SAID = {
    "paid": "took the money",
    "part_refunded": "took the money and gave some of it back",
    "refunded": "gave the money back",
    "processing": "is processing",
    "held": "holds the money, uncaptured",
    "action": "waits for the customer",
    "waiting": "has no attempt to pay",
    "declined": "was refused by the bank",
    "canceled": "is canceled",
}


def _said(story: Story, row: LedgerRow, state: str, why: str) -> str:
    id_ = story.intent.id if story.intent else story.sessions[-1].id
    at = f"{became(story, state):%H:%M:%S}"
    return (
        f"{id_} {_SAID[state]} at {at}, and row {row.key} of {row.name} says {row.row.status}: "
        f"{why}"
    )


def _parted(story: Story, row: LedgerRow, state: str, *, believed: bool) -> datetime:
    """When the sides parted: Stripe moved, or the row did though Stripe had not."""
    if believed:
        return row.completed or row.updated or row.created or story.now
    at = became(story, state)
    return max(at, row.created) if row.created is not None and row.created > at else at


def _about(state: str, about_refunds: bool) -> str:
    if about_refunds or state in ("refunded", "part_refunded"):
        return "refund" if about_refunds else "paid"
    return state if state in ("paid", "declined", "canceled", "processing", "action") else ""


def _at_risk(story: Story, row: LedgerRow, risk: str) -> Money | None:
    intent = story.intent
    if risk == "booked":
        return row.money
    if intent is None:
        return None
    minor = {
        "net": story.taken - story.given,
        "refunded": story.given,
        "held": intent.amount,
    }.get(risk)
    return None if minor is None else Money(intent.currency, minor)
