"""How long does a payment take, from its making to its completion?

Runbook 000 alerts at a 95th percentile of more than 10 s in an hour, runbook 001 wants 5 s; its
target of 3 s on average is held in `payops stats`. The ledger tells where it stores when a payment
was completed; where it does not, Stripe's charges do, in whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.checks.ledger import database_window, signs
from payops.domain.duration import human_duration, human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.percentile import percentile
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "p95": Threshold(5, 10, "s", "S1-13: p95 < 5 s; S0-42: alert above 10 s"),
    "average": Threshold(5, 10, "s", "S3-09: processing > 5 s; S0-43: slower than 10 s"),
    # The 95th percentile of a few is their slowest: one customer with a slow bank.
    "sample": Threshold(10, None, "count", "payops: of fewer the average alone counts", "lower"),
}


@dataclass(frozen=True)
class Facts:
    """Seconds; None where nothing was completed. `source` is whose times they are."""

    as_of: datetime
    window_s: float
    source: str
    count: int
    average: float | None = None
    median: float | None = None
    p95: float | None = None
    longest: float | None = None


def gather(ctx: Context) -> Facts:
    ledger = ctx.settings.payments
    if ledger is not None and ledger.columns.completed_at:
        window = database_window(ctx)
        found = signs(ctx).latency(window)
        return Facts(
            as_of=found.as_of,
            window_s=window.length.total_seconds(),
            source="postgres",
            count=found.count,
            average=found.average,
            median=found.median,
            p95=found.p95,
            longest=found.longest,
        )
    answer = stripe_asked.permitted(lambda: stripe_asked.intents(ctx), "PaymentIntents")
    times = tuple(float(one.seconds) for one in answer.value.data if one.seconds is not None)
    return Facts(
        as_of=stripe_asked.as_of(answer, ctx),
        window_s=ctx.window.length.total_seconds(),
        source="stripe",
        count=len(times),
        average=sum(times) / len(times) if times else None,
        median=percentile(times, 0.5) if times else None,
        p95=percentile(times, 0.95) if times else None,
        longest=max(times, default=None),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    span = human_span(facts.window_s)
    by = "" if facts.source == "postgres" else ", by Stripe's charges"
    if facts.average is None or facts.p95 is None:
        return CheckResult(
            Status.OK,
            f"no payment was completed in {span}: nothing to judge",
            source=facts.source,
            as_of=facts.as_of,
            measured={"p95": None, "average": None, "sample": 0},
        )
    few = limits["sample"].judge(facts.count) is not Status.OK
    of_average, of_p95 = limits["average"].judge(facts.average), limits["p95"].judge(facts.p95)
    status = of_average if few else max((of_average, of_p95), key=lambda one: one.rank)
    noun = "payment" if facts.count == 1 else "payments"
    summary = (
        f"{facts.count:,} {noun} took {human_duration(facts.average)} on average, "
        f"{human_duration(facts.p95)} at the 95th percentile in {span}{by}"
    )
    if few and of_p95 is not Status.OK:
        summary += "; too few to judge the percentile"
    return CheckResult(
        status,
        summary,
        source=facts.source,
        as_of=facts.as_of,
        measured={
            "p95": round(facts.p95, 3),
            "average": round(facts.average, 3),
            "median": None if facts.median is None else round(facts.median, 3),
            "sample": facts.count,
        },
        evidence=(
            Evidence(
                f"the slowest took {human_duration(facts.longest)}",
                facts.source,
                facts.as_of,
                {"longest_s": round(facts.longest, 3)},
            ),
        )
        if facts.longest is not None and status is not Status.OK
        else (),
        actions=(
            Action(
                "Is it Stripe, the database or our own queue? See what else is slow",
                "payops health --only 'stripe.latency,postgres,webhooks'",
            ),
            Action("When all are fast, the time is spent in the application: see its log"),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Payments are completed in time",
    source="postgres+stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-42", "S0-43", "S1-13", "S2-30", "S3-09"),
)
