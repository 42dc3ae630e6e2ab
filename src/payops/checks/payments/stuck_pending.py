"""Payments that nobody has finished: pending for longer than a payment can take.

Runbook 002: pending for more than 30 minutes is stuck; 1-2 of them are single customers, more than
10 are system-wide. Runbook 004, scenario 4: Stripe's answer was lost, so the customer may well
have been charged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks.contract import Check, Context
from payops.checks.ledger import payments_ledger
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import MoneyAtRisk
from payops.domain.payment import OPEN
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "age": Threshold(30 * 60, None, "s", "S2-07: pending > 30 min is stuck"),
    "count": Threshold(0, 10, "count", "S2-09: 1-2 are singular, more than 10 system-wide"),
}
# A row left pending for longer than this is history, not an incident; reconcile finds those.
LOOKBACK = timedelta(days=7)
SAMPLE = 10


@dataclass(frozen=True)
class Row:
    """One stuck payment as evidence; times are aware UTC."""

    id: str
    processor_ref: str | None
    status: str
    amount: str
    created_at: datetime


@dataclass(frozen=True)
class Facts:
    """All payments older than the age limit; `rows` are the oldest of them."""

    as_of: datetime
    count: int
    oldest: datetime | None
    money: tuple[MoneyAtRisk, ...]
    inexact: int
    without_reference: int | None
    rows: tuple[Row, ...]


def gather(ctx: Context) -> Facts:
    ledger = payments_ledger(ctx)
    postgres = ctx.sources.postgres
    now = postgres.server().now
    found = postgres.ledger(ledger).open_payments(
        older_than=now - timedelta(seconds=ctx.limits["age"].warn or 0),
        newer_than=now - LOOKBACK,
        statuses=OPEN,
        sample=SAMPLE,
    )
    return Facts(
        as_of=found.as_of,
        count=found.count,
        oldest=found.oldest,
        money=found.money,
        inexact=found.inexact,
        without_reference=found.without_reference,
        rows=tuple(
            Row(r.id, r.processor_ref, r.status, str(r.amount or "?"), r.created_at)
            for r in found.sample
        ),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    limit = human_duration(limits["age"].warn or 0)
    if not facts.count or facts.oldest is None:
        return CheckResult(
            Status.OK,
            f"no payment pending for more than {limit}",
            as_of=facts.as_of,
            measured={"count": 0, "age": 0},
        )
    status = limits["count"].judge(facts.count)
    age_s = (facts.as_of - facts.oldest).total_seconds()
    scope = {
        Status.CRIT: "system-wide",
        Status.WARN: "single customers" if facts.count <= 2 else "more than single customers",
    }.get(status, "within limits")
    noun = "payment" if facts.count == 1 else "payments"
    summary = (
        f"{facts.count:,} {noun} pending for more than {limit} ({scope}), "
        f"the oldest for {human_duration(age_s)}"
    )
    if facts.without_reference:
        summary += f"; {facts.without_reference:,} of them never got a Stripe id"
    if facts.inexact:
        summary += f"; {facts.inexact:,} without a usable amount"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=facts.oldest,
        measured={"count": facts.count, "age": round(age_s)},
        evidence=tuple(
            Evidence(
                f"{row.id} {row.status} {row.amount}",
                "postgres",
                facts.as_of,
                {"created_at": utc_text(row.created_at), "processor_ref": row.processor_ref},
            )
            for row in facts.rows
        ),
        actions=_actions(facts),
        money_at_risk=facts.money,
    )


def _actions(facts: Facts) -> tuple[Action, ...]:
    reference = next((row.processor_ref for row in facts.rows if row.processor_ref), None)
    actions = [
        Action(
            "All of the oldest, for the ticket",
            "payops health --only payments.stuck-pending -o json",
        )
    ]
    if reference and reference.replace("_", "").isalnum():
        actions.append(
            Action(
                "Ask Stripe what became of the oldest: the customer may have been charged",
                f"stripe payment_intents retrieve {reference}",
            )
        )
    return tuple(actions)


CHECK = Check(
    title="No payment is stuck pending",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-07", "S2-08", "S2-09", "S4-29"),
)
