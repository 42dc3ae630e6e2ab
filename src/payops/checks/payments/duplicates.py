"""The same order, or the same customer, paid the same amount twice within minutes.

A double click, a retry without its idempotency key, or an answer that was lost: the customer may
have been charged twice. It is a suspicion; reconcile holds it against what Stripe took.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.ledger import database_window, payments_ledger, signs
from payops.domain.duration import human_duration, human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.money import MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "count": Threshold(0, 10, "count", "S2-09: 1-2 are singular, more than 10 system-wide"),
}
WITHIN_S = 600  # a customer who waits, doubts and tries again: S0-07 allows 10 min


@dataclass(frozen=True)
class Facts:
    """Payments that followed their like; `by` is what is the same: order or customer."""

    as_of: datetime
    window_s: float
    by: str
    money: tuple[MoneyAtRisk, ...]
    first: str = ""
    second: str = ""
    last: datetime | None = None


def gather(ctx: Context) -> Facts:
    columns = payments_ledger(ctx).columns
    if not columns.order_id and not columns.customer_id:
        raise NotConfiguredError("no column says what was paid for, or who paid")
    window = database_window(ctx)
    found = signs(ctx).pairs(window, WITHIN_S)
    return Facts(
        as_of=found.as_of,
        window_s=window.length.total_seconds(),
        by="order" if columns.order_id else "customer",
        money=found.money,
        first=found.first,
        second=found.second,
        last=found.last,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count, span = sum(one.count for one in facts.money), human_span(facts.window_s)
    status, within = limits["count"].judge(count), human_duration(WITHIN_S)
    noun = "payment" if count == 1 else "payments"
    evidence: tuple[Evidence, ...] = ()
    if count:
        summary = (
            f"{count:,} {noun} in {span} followed one of the same {facts.by} and amount within "
            f"{within}: charged twice?"
        )
        evidence = (
            Evidence(
                f"{shortened(facts.second, 60)} after {shortened(facts.first, 60)}",
                "postgres",
                facts.as_of,
                {"first": facts.first, "second": facts.second},
            ),
        )
    else:
        summary = f"no {facts.by} was paid twice within {within} in {span}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"count": count},
        evidence=evidence,
        actions=(
            Action(
                "See which of them Stripe took twice; refund one after the customer was asked",
                "payops reconcile --since 24h",
            ),
            Action(
                "Every request to pay needs its Idempotency-Key, the same for the same order: look "
                "at what changed in the checkout"
            ),
        )
        if status is not Status.OK
        else (),
        money_at_risk=facts.money,
    )


CHECK = Check(
    title="Nobody pays twice",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-22", "S2-09"),
)
