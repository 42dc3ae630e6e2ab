"""Does one customer pay unusually often?

Runbook 001 has velocity per customer flagged, and gives no number: a robot, a loop in a client, or
a stolen account. A till or a wholesaler needs a limit of its own (thresholds).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.ledger import database_window, recent_customers
from payops.domain.duration import human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.ledger_signs import Customer

LIMITS = {
    "per_hour": Threshold(10, 50, "count", "payops: S1-22 gives none; nobody pays every 6 min"),
}


@dataclass(frozen=True)
class Facts:
    """The busiest customers of the window."""

    as_of: datetime
    window_s: float
    rows: tuple[Customer, ...]


def gather(ctx: Context) -> Facts:
    found = recent_customers(ctx)
    return Facts(found.as_of, database_window(ctx).length.total_seconds(), found.rows)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    span = human_span(facts.window_s)
    # Ten at once are ten an hour, however short the window is.
    hours = max(facts.window_s / 3600, 1)
    rates = sorted(((one.attempts / hours, one) for one in facts.rows), key=lambda each: -each[0])
    top = rates[0] if rates else None
    status = limits["per_hour"].judge(top[0]) if top else Status.OK
    if top is None:
        summary = f"no customer paid in {span}: nothing to judge"
    else:
        noun = "try" if top[1].attempts == 1 else "tries"
        who = shortened(top[1].customer, 40)
        most = f"{top[1].attempts:,} {noun}"
        summary = f"at most {most} by one customer in {span}"
        if status is not Status.OK:
            summary = f"{most} by customer {who} in {span}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"per_hour": round(top[0], 2) if top else 0},
        evidence=tuple(
            Evidence(
                f"customer {shortened(one.customer, 60)}: {one.attempts:,} tries",
                "postgres",
                facts.as_of,
                {"tries": one.attempts, "declined": one.declined, "failed": one.ours},
            )
            for rate, one in rates
            if limits["per_hour"].judge(rate) is not Status.OK
        ),
        actions=(
            Action(
                "A person, a robot or a loop in the client? See the payments of this customer in "
                "the Dashboard, and limit attempts at the checkout if it is no person",
            ),
            Action(
                "Were some of them made twice?",
                "payops health --only payments.duplicates",
            ),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="No customer pays unusually often",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-22",),
)
