"""Is the account's balance negative, so that refunds wait and the bank account is debited?

Runbook 004 needs a balance for refunds of what was charged twice: from a negative balance Stripe
holds refunds as pending, or debits the bank account behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.evidence import Action
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # Of each currency: what can be paid out, and what is on its way, together.
    "negative": Threshold(0, 1, "count", "payops: one currency owes; two are no accident"),
}


@dataclass(frozen=True)
class Facts:
    """Minor units by currency; negative is owed to Stripe."""

    as_of: datetime
    available: dict[str, int]
    pending: dict[str, int]


def gather(ctx: Context) -> Facts:
    answer = stripe_asked.permitted(lambda: stripe_asked.balance(ctx), "Balance")
    return Facts(
        as_of=stripe_asked.as_of(answer, ctx),
        available={one.currency: one.amount for one in answer.value.available},
        pending={one.currency: one.amount for one in answer.value.pending},
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    owed = {currency: minor for currency, minor in facts.available.items() if minor < 0}
    # What is pending comes within days and pays it back: then nothing is debited.
    covered = {c for c, minor in owed.items() if minor + facts.pending.get(c, 0) >= 0}
    uncovered = {c: minor for c, minor in owed.items() if c not in covered}
    status = limits["negative"].judge(len(uncovered))
    if not owed:
        have = ", ".join(str(Money(c, minor)) for c, minor in facts.available.items())
        summary = f"{have or 'nothing'} available; nothing is owed"
    elif uncovered:
        sums = ", ".join(str(Money(c, -minor)) for c, minor in uncovered.items())
        summary = f"the balance is negative: {sums} owed to Stripe, and what is pending is less"
    else:
        sums = ", ".join(str(Money(c, -minor)) for c, minor in owed.items())
        summary = f"{sums} owed to Stripe, which what is pending will cover"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"negative": len(uncovered), "covered": len(covered)},
        actions=(
            Action(
                "Refunds wait while the balance is negative: add funds in the Dashboard "
                "(Balances, Add to balance), or let payments cover it",
            ),
            Action(
                "See what took the money: disputes, refunds, or payouts that failed",
                "payops health --only 'stripe.payouts,payments.disputes'",
            ),
        )
        if status is not Status.OK
        else (),
        money_at_risk=tuple(MoneyAtRisk(c, -minor, 1) for c, minor in uncovered.items()),
    )


CHECK = Check(
    title="The account's balance is not negative",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-18",),
)
