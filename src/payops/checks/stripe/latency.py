"""How fast does Stripe answer us, over several cheap calls?

Runbook 004 looks at Stripe's latency when payments take longer than 5 s at the 95th percentile. One
call says little: the first one pays for name, connection and TLS. What is measured here is the path
from this machine, which need not be the application's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.percentile import percentile
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # S4-36: payment p95 > 5 s, 'check Stripe API latency': of a payment's 5 s Stripe has the most.
    "p95": Threshold(2500, 5000, "ms", "S4-36"),
    "median": Threshold(1500, 3000, "ms", "S1-13: a payment takes 3 s on average"),
}


@dataclass(frozen=True)
class Facts:
    """Milliseconds of each call, in the order in which they were asked."""

    as_of: datetime
    calls_ms: tuple[float, ...]
    request_ids: tuple[str, ...] = ()


def gather(ctx: Context) -> Facts:
    answers = stripe_asked.cheap(ctx)
    return Facts(
        as_of=stripe_asked.as_of(answers[-1], ctx),
        calls_ms=tuple(answer.latency_ms for answer in answers),
        request_ids=tuple(answer.request_id for answer in answers),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    median, p95 = percentile(facts.calls_ms, 0.5), percentile(facts.calls_ms, 0.95)
    statuses = {"median": limits["median"].judge(median), "p95": limits["p95"].judge(p95)}
    status = max(statuses.values(), key=lambda one: one.rank)
    count = len(facts.calls_ms)
    calls = f"{count} calls" if count != 1 else "1 call"
    actions = (
        (
            Action("See if Stripe says the same", "payops health --only stripe.status-page"),
            Action(
                "Ask from where the application runs too: the path from here may be the slow one",
                "curl -sS -o /dev/null -w '%{time_total}' https://api.stripe.com/healthcheck",
            ),
        )
        if status is not Status.OK
        else ()
    )
    return CheckResult(
        status,
        f"{calls} took {human_duration(median / 1000)} at the median, "
        f"{human_duration(p95 / 1000)} at the 95th percentile",
        as_of=facts.as_of,
        measured={"median": round(median), "p95": round(p95), "calls": count},
        evidence=tuple(
            Evidence(
                f"{request_id or 'a call'} took {human_duration(took / 1000)}",
                "stripe",
                facts.as_of,
                {"request_id": request_id, "ms": round(took)},
            )
            for took, request_id in zip(facts.calls_ms, facts.request_ids, strict=False)
            if status is not Status.OK
        ),
        actions=actions,
    )


CHECK = Check(
    title="Stripe answers fast",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-36", "S0-43"),
)
