"""Payments that the ledger calls paid, and that have no Stripe id.

Nobody can refund, trace or reconcile such a row: the answer of Stripe was lost, or somebody wrote
the row without asking Stripe at all. What is still open without one is `payments.stuck-pending`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.ledger import recent_outcomes
from payops.domain.duration import human_span, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.payment import PAID
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "count": Threshold(0, 10, "count", "S2-09: 1-2 are singular, more than 10 system-wide"),
}


@dataclass(frozen=True)
class Facts:
    """The window's paid rows, those among them without a reference, and since when they come."""

    as_of: datetime
    window_s: float
    paid: int
    count: int
    since: datetime | None
    statuses: tuple[str, ...] = ()


def gather(ctx: Context) -> Facts:
    outcomes, window, ledger = recent_outcomes(ctx)
    if not ledger.columns.processor_ref:
        raise NotConfiguredError("no column holds Stripe's id (columns.processor_ref)")
    paid = [row for row in outcomes.rows if row.status in PAID]
    without = [row for row in paid if row.without_reference]
    return Facts(
        as_of=outcomes.as_of,
        window_s=window.length.total_seconds(),
        paid=sum(row.count for row in paid),
        count=sum(row.without_reference for row in without),
        since=min((row.first for row in without), default=None),
        statuses=tuple(sorted({row.raw for row in without})),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    status, span = limits["count"].judge(facts.count), human_span(facts.window_s)
    noun = "payment" if facts.paid == 1 else "payments"
    if facts.count:
        summary = (
            f"{facts.count:,} of {facts.paid:,} paid {noun} in {span} have no Stripe id: they can "
            "be neither refunded nor reconciled"
        )
    elif facts.paid:
        summary = f"each of {facts.paid:,} paid {noun} in {span} has its Stripe id"
    else:
        summary = f"no payment was paid in {span}: nothing to judge"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=facts.since if status is not Status.OK else None,
        measured={"count": facts.count, "paid": facts.paid},
        evidence=(
            Evidence(
                f"{facts.count:,} rows as {' or '.join(facts.statuses)}",
                "postgres",
                facts.as_of,
                {"first": utc_text(facts.since) if facts.since else None},
            ),
        )
        if facts.count
        else (),
        actions=(
            Action(
                "Find their PaymentIntents by metadata and amount, and plan what puts them right",
                "payops reconcile --since 24h --save-plan plan.json",
            ),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Paid payments have a Stripe id",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-29", "S2-09"),
)
