"""Do payouts reach the bank?

A failed payout comes back to the balance, and Stripe pauses further payouts to that bank account
until its details are put right: nobody notices until the money is missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "failed": Threshold(0, 1, "count", "payops: one failed; two in a row stop the next ones"),
    # Weekends and holidays lie between: Stripe names the day, banks take up to five more.
    "late": Threshold(5 * 86400, None, "s", "payops: past the day of arrival, not yet paid"),
}
RECENT = timedelta(days=14)


@dataclass(frozen=True)
class Paid:
    """One payout; `arrival` is when the bank should have it, `why` Stripe's reason of a failure."""

    id: str
    money: Money
    status: str
    created: datetime
    arrival: datetime
    why: str = ""


@dataclass(frozen=True)
class Facts:
    """The newest payouts of the last 14 days, newest first."""

    as_of: datetime
    payouts: tuple[Paid, ...]


def gather(ctx: Context) -> Facts:
    answer = stripe_asked.permitted(lambda: stripe_asked.payouts(ctx), "Payouts")
    as_of = stripe_asked.as_of(answer, ctx)
    return Facts(
        as_of=as_of,
        payouts=tuple(
            Paid(
                id=one.id,
                money=Money(one.currency, one.amount),
                status=one.status,
                created=stripe_asked.moment(one.created),
                arrival=stripe_asked.moment(one.arrival_date or one.created),
                why=": ".join(filter(None, (one.failure_code, one.failure_message))),
            )
            for one in answer.value.data
            if stripe_asked.moment(one.created) >= as_of - RECENT
        ),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    # One that was paid after it is proof that the bank account is right again.
    failed = _unhealed(facts.payouts)
    open_ones = [one for one in facts.payouts if one.status in ("pending", "in_transit")]
    late_s = max(((facts.as_of - one.arrival).total_seconds() for one in open_ones), default=0.0)
    of_failed, of_late = limits["failed"].judge(len(failed)), limits["late"].judge(late_s)
    status = max((of_failed, of_late), key=lambda one: one.rank)
    told = []
    if failed:
        last = failed[0]
        noun = "payout" if len(failed) == 1 else "payouts"
        why = f" ({shortened(last.why, 120)})" if last.why else ""
        told.append(f"{len(failed)} {noun} failed, the last {last.money}{why}")
    if of_late is not Status.OK:
        told.append(f"a payout is {human_duration(late_s)} past its day of arrival")
    if not told:
        count = len(facts.payouts)
        told.append(
            f"{count} payouts in {RECENT.days} d, none failed since the last that was paid"
            if count
            else f"no payout in {RECENT.days} d"
        )
    troubled = [*failed, *(one for one in open_ones if of_late is not Status.OK)]
    return CheckResult(
        status,
        "; ".join(told),
        as_of=facts.as_of,
        since=min((one.created for one in failed), default=None) if of_failed.rank > 1 else None,
        measured={"failed": len(failed), "late": round(max(late_s, 0))},
        evidence=tuple(
            Evidence(
                f"{one.id} {one.status} {one.money} {shortened(one.why, 200)}".rstrip(),
                "stripe",
                facts.as_of,
                {"created": utc_text(one.created), "arrival": utc_text(one.arrival)},
            )
            for one in troubled
        ),
        actions=(
            Action(
                "Correct the bank account in the Dashboard (Settings, Payouts): Stripe pauses "
                "payouts to one that failed",
            ),
            Action(
                "Reconcile the payouts once they go again",
                "payops reconcile payouts --since 14d",
            ),
        )
        if status is not Status.OK
        else (),
        money_at_risk=_money(failed),
    )


def _unhealed(payouts: tuple[Paid, ...]) -> list[Paid]:
    """Those that failed since the newest that was paid in their currency."""
    healed: set[str] = set()
    failed = []
    for one in payouts:
        if one.status == "paid":
            healed.add(one.money.currency)
        elif one.status == "failed" and one.money.currency not in healed:
            failed.append(one)
    return failed


def _money(failed: list[Paid]) -> tuple[MoneyAtRisk, ...]:
    return total_at_risk(one.money for one in failed)


CHECK = Check(
    title="Payouts reach the bank",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-18",),
)
