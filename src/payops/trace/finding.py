"""One disagreement between Stripe and the ledgers, and Stripe's state in the words of `pairs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from payops.domain.discrepancy import MatchClass
from payops.domain.money import Money
from payops.domain.status import Status
from payops.trace.story import LedgerRow, Story, moment

REFUNDABLE = frozenset({"succeeded", "refunded", "partially_refunded"})
UNDONE = ("failed", "canceled")
"""States of a refund that gave nothing back."""


@dataclass(frozen=True)
class Finding:
    """One disagreement. `about` tells which events should have told: `paid`, `declined`,
    `canceled`, `processing`, `action`, `refund`, `dispute`, empty for none. `facts` are what the
    likely cause is said from, in the names of the match."""

    at: datetime
    match_class: MatchClass
    severity: Status
    sentence: str
    about: str = ""
    money: Money | None = None
    refund: str = ""
    row: LedgerRow | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def true_state(story: Story) -> str | None:
    """Stripe's state in the words of `domain.pairs`; None for a status that is not known."""
    intent = story.intent
    if intent is None:
        return _of_session(story)
    took, given = story.taken, story.given
    if took > 0:
        return "refunded" if given >= took else "part_refunded" if given > 0 else "paid"
    states = {
        "succeeded": "paid",
        "processing": "processing",
        "requires_capture": "held",
        "requires_action": "action",
        "requires_confirmation": "waiting",
        "canceled": "canceled",
    }
    if intent.status == "requires_payment_method":
        charge = story.charge
        failed = charge is not None and charge.status == "failed"
        return "declined" if failed or intent.last_payment_error is not None else "waiting"
    return states.get(intent.status)


def _of_session(story: Story) -> str | None:
    if not story.sessions:
        return None
    session = story.sessions[-1]
    if session.status in ("open", "expired"):
        return "waiting" if session.status == "open" else "canceled"
    return "processing" if session.payment_status == "unpaid" else "paid"


def became(story: Story, state: str | None) -> datetime:
    """When Stripe's state arose, as far as its objects tell."""
    intent, charge = story.intent, story.charge
    if intent is None:
        return moment(story.sessions[-1].created) if story.sessions else story.now
    if state == "canceled" and intent.canceled_at:
        return moment(intent.canceled_at)
    if state in ("refunded", "part_refunded") and story.refunds:
        live = [one for one in story.refunds if one.status not in UNDONE]
        if live:
            return moment(live[-1].created)
    if charge is not None and state in ("paid", "declined", "held", "refunded", "part_refunded"):
        return moment(charge.created)
    told = [event for event in story.events if event.about == intent.id]
    return moment(told[-1].created) if told else moment(intent.created)
