"""Chargebacks: was one opened, and by when has it to be answered?

One that is not answered in time is lost, and with it the money, the goods and a fee. Many at once
are fraud, or a delivery that failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, total_at_risk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "left": Threshold(
        2 * 86400, 86400, "s", "payops: a weekend, a day, to gather evidence", worse="lower"
    ),
    "opened": Threshold(10, 50, "count", "payops: opened in a day; S1-22 gives no number"),
}
LATELY = timedelta(days=1)
SAMPLE = 10


@dataclass(frozen=True)
class Opened:
    """One dispute; `due` is the last moment to answer, None when there is nothing to answer."""

    id: str
    money: Money
    reason: str
    created: datetime
    due: datetime | None


@dataclass(frozen=True)
class Facts:
    """The disputes of the last 30 days; `complete` is False when there are more than a page."""

    as_of: datetime
    disputes: tuple[Opened, ...]
    complete: bool = True


def gather(ctx: Context) -> Facts:
    answer = stripe_asked.permitted(lambda: stripe_asked.disputes(ctx), "Disputes")
    return Facts(
        as_of=stripe_asked.as_of(answer, ctx),
        disputes=tuple(
            Opened(
                id=one.id,
                money=Money(one.currency, one.amount),
                reason=one.reason,
                created=stripe_asked.moment(one.created),
                due=stripe_asked.moment(one.due_by) if one.due_by else None,
            )
            for one in answer.value.data
        ),
        complete=not answer.value.has_more,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    opened = [one for one in facts.disputes if one.created >= facts.as_of - LATELY]
    # One whose time is over cannot be answered any more: it is lost, not urgent.
    waiting = sorted(
        (one for one in facts.disputes if one.due is not None and one.due > facts.as_of),
        key=lambda one: one.due or facts.as_of,
    )
    left = min(
        ((one.due - facts.as_of).total_seconds() for one in waiting if one.due), default=None
    )
    of_left = limits["left"].judge(left) if left is not None else Status.OK
    of_opened = limits["opened"].judge(len(opened))
    status = max((of_left, of_opened), key=lambda one: one.rank)
    plus = "" if facts.complete else " or more"
    told = [f"{len(opened)}{plus} opened in the last day"]
    if left is not None:
        noun = "waits" if len(waiting) == 1 else "wait"
        told.append(
            f"{len(waiting)} {noun} for evidence, the next is due in {human_duration(left)}"
        )
    urgent = [
        one
        for one in waiting
        if one.due
        and limits["left"].judge((one.due - facts.as_of).total_seconds()) is not Status.OK
    ]
    shown = urgent or (opened if of_opened is not Status.OK else [])
    return CheckResult(
        status,
        "; ".join(told),
        as_of=facts.as_of,
        since=min((one.created for one in shown), default=None)
        if status is not Status.OK
        else None,
        measured={
            "left": None if left is None else round(left),
            "opened": len(opened),
            "waiting": len(waiting),
        },
        evidence=tuple(
            Evidence(
                f"{one.id} {one.money}, {shortened(one.reason, 40) or 'no reason'}, answer by "
                f"{utc_text(one.due) if one.due else '-'}",
                "stripe",
                facts.as_of,
                {"id": one.id, "due": utc_text(one.due) if one.due else None},
            )
            for one in shown[:SAMPLE]
        ),
        actions=(
            Action(
                "Answer in the Dashboard (Payments, Disputes): proof of delivery, e-mails, the "
                "customer's address; or accept it, which costs no more than losing it",
            ),
            Action(
                "Many of one reason? fraudulent: tighten Radar; product_not_received: see what was "
                "not delivered",
                "payops health --only 'payments.fraud-warnings,payments.high-value'",
            ),
        )
        if status is not Status.OK
        else (),
        money_at_risk=total_at_risk(one.money for one in waiting),
    )


CHECK = Check(
    title="Disputes are answered in time",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-22", "S2-12"),
)
