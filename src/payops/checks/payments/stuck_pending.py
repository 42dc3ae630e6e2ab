"""Payments that nobody has finished: pending for longer than a payment can take.

Runbook 002: pending for more than 30 minutes is stuck; 1-2 of them are single customers, more than
10 are system-wide. Runbook 004, scenario 4: Stripe's answer was lost, so the customer may well
have been charged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks.contract import Check, Context
from payops.checks.ledger import USABLE, payments_ledger
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import MoneyAtRisk
from payops.domain.payment import OPEN
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "age": Threshold(30 * 60, None, "s", "S2-07: pending > 30 min is stuck"),
    "count": Threshold(0, 10, "count", "S2-09: 1-2 are singular, more than 10 system-wide"),
}
# A row left pending for longer than this is history, not an incident; reconcile finds those.
LOOKBACK = timedelta(days=7)
SAMPLE = 10
_INTENT = re.compile(r"pi_[A-Za-z0-9_]+")


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
    """All payments older than the age limit; `rows` are the oldest of them. `hours` of
    them are older than 2 h, `days` older than a day."""

    as_of: datetime
    count: int
    oldest: datetime | None
    money: tuple[MoneyAtRisk, ...]
    inexact: int
    without_reference: int | None
    rows: tuple[Row, ...]
    hours: int = 0
    days: int = 0


def gather(ctx: Context) -> Facts:
    ledger = payments_ledger(ctx)
    postgres = ctx.sources.postgres
    older_than = postgres.server().now - timedelta(seconds=_stuck_after(ctx.limits))
    found = postgres.ledger(ledger).open_payments(
        older_than=older_than,
        newer_than=older_than - LOOKBACK,
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
        hours=found.hours,
        days=found.days,
        rows=tuple(
            Row(r.id, r.processor_ref, r.status, str(r.amount or "?"), r.created_at)
            for r in found.sample
        ),
    )


def _stuck_after(limits: Limits) -> float:
    """Seconds after which a payment is stuck: the first limit on its age that is switched on."""
    age = limits["age"]
    first = age.crit if age.warn is None else age.warn
    if first is None:
        raise NotConfiguredError("both limits on the age are switched off: nothing is ever stuck")
    return first


def judge(facts: Facts, limits: Limits) -> CheckResult:
    limit = human_duration(_stuck_after(limits))
    if not facts.count or facts.oldest is None:
        return CheckResult(
            Status.OK,
            f"no payment pending for more than {limit} ({LOOKBACK.days} d looked back)",
            as_of=facts.as_of,
            measured={"count": 0, "age": 0, **_bands(facts)},
        )
    of_count = limits["count"].judge(facts.count)
    age_s = (facts.as_of - facts.oldest).total_seconds()
    # Beyond WARN is what makes a payment stuck, so each is; CRIT is one that is stuck for too long.
    too_old = limits["age"].judge(age_s) is Status.CRIT
    status = Status.CRIT if too_old else of_count
    if facts.count <= 2:
        scope = "single customers"
    elif of_count is Status.CRIT:
        scope = "system-wide"
    else:
        scope = "more than single customers"
    if status is Status.OK:
        scope += ", within limits"
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
        measured={"count": facts.count, "age": round(age_s), **_bands(facts)},
        evidence=(
            *(
                Evidence(
                    f"{row.id} {row.status} {row.amount}",
                    "postgres",
                    facts.as_of,
                    {"created_at": utc_text(row.created_at), "processor_ref": row.processor_ref},
                )
                for row in facts.rows
            ),
            Evidence(_bands_text(facts, limit), "postgres", facts.as_of, _bands(facts)),
        ),
        actions=_actions(facts),
        money_at_risk=facts.money if facts.inexact < facts.count else (),
    )


def _bands(facts: Facts) -> dict[str, Scalar]:
    """How many are how old, each in one band."""
    return {
        "up_to_2h": facts.count - facts.hours,
        "up_to_24h": facts.hours - facts.days,
        "over_24h": facts.days,
    }


def _bands_text(facts: Facts, limit: str) -> str:
    """Young ones are this incident, old ones an earlier one that nobody cleaned up."""
    young, middle, old = _bands(facts).values()
    return f"by age: {young:,} of {limit} to 2 h, {middle:,} of 2 h to 24 h, {old:,} older"


def _actions(facts: Facts) -> tuple[Action, ...]:
    # Another processor's reference, or a charge's, is nothing that this command can ask for.
    reference = next(
        (row.processor_ref for row in facts.rows if _INTENT.fullmatch(row.processor_ref or "")),
        None,
    )
    actions = [
        Action(
            "Ask Stripe what became of them, and plan what puts them right",
            f"payops reconcile --since {_since(facts)} --save-plan plan.json",
        ),
        Action(
            f"The oldest {SAMPLE}, for the ticket",
            "payops health --only payments.stuck-pending -o json",
        ),
    ]
    if facts.inexact * 2 > facts.count:
        actions.append(USABLE)
    if reference:
        actions.append(
            Action(
                "Ask Stripe what became of the oldest one that it knows: the customer may have "
                "been charged",
                f"payops trace {reference}",
            )
        )
    return tuple(actions)


def _since(facts: Facts) -> str:
    """An hour before the oldest, so that the window surely holds it."""
    oldest = facts.oldest or facts.as_of
    return utc_text((oldest - timedelta(hours=1)).replace(minute=0, second=0))


CHECK = Check(
    title="No payment is stuck pending",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-07", "S2-08", "S2-09", "S4-29"),
)
