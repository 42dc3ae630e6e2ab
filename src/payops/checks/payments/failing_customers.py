"""Do payments fail for many customers, or for one?

Runbook 001 escalates on repeated failures across several customers; what one customer has is a
matter of support. Failures by our fault or Stripe's are counted, not what a bank declined; a
customer whose bank declines again and again is named beside it (runbook 000: at most 3 tries).
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
    "customers": Threshold(2, 5, "count", "S1-27: across several customers; S2-09: 1-2 are single"),
    "tries": Threshold(3, None, "count", "S0-04: at most 3 tries of one customer"),
}


@dataclass(frozen=True)
class Facts:
    """`failing` customers of `customers` had a failure of ours; `rows` are the worst of them."""

    as_of: datetime
    window_s: float
    customers: int
    failing: int
    rows: tuple[Customer, ...]


def gather(ctx: Context) -> Facts:
    found = recent_customers(ctx)
    return Facts(
        as_of=found.as_of,
        window_s=database_window(ctx).length.total_seconds(),
        customers=found.customers,
        failing=found.failing,
        rows=found.rows,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    span = human_span(facts.window_s)
    worst = max(facts.rows, key=lambda one: one.ours + one.declined, default=None)
    tries = worst.ours + worst.declined if worst else 0
    of_customers = limits["customers"].judge(facts.failing)
    of_tries = limits["tries"].judge(tries)
    status = max((of_customers, of_tries), key=lambda one: one.rank)
    noun = "customer" if facts.customers == 1 else "customers"
    if facts.failing:
        scope = "several" if of_customers is not Status.OK else "single"
        summary = (
            f"payments of {facts.failing:,} of {facts.customers:,} {noun} failed by our fault in "
            f"{span} ({scope} customers)"
        )
    elif facts.customers:
        summary = f"no payment of {facts.customers:,} {noun} failed by our fault in {span}"
    else:
        summary = f"no customer paid in {span}: nothing to judge"
    if worst is not None and of_tries is not Status.OK:
        summary += f"; customer {shortened(worst.customer, 40)} failed {tries:,} times"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=min((one.first for one in facts.rows if one.first), default=None)
        if of_customers is not Status.OK
        else None,
        measured={"customers": facts.failing, "tries": tries, "all": facts.customers},
        evidence=tuple(
            Evidence(
                f"customer {shortened(one.customer, 60)}: {one.attempts:,} tries, {one.ours:,} "
                f"failed by our fault, {one.declined:,} declined",
                "postgres",
                facts.as_of,
                {"tries": one.attempts, "failed": one.ours, "declined": one.declined},
            )
            for one in facts.rows
            if one.ours + one.declined
        )
        if status is not Status.OK
        else (),
        actions=_actions(of_customers, of_tries),
    )


def _actions(of_customers: Status, of_tries: Status) -> tuple[Action, ...]:
    actions = []
    if of_customers is not Status.OK:
        actions.append(
            Action(
                "Not one customer's card: escalate (runbook 001), and see what they have in common",
                "payops health --only 'payments.failure-rate,stripe,circuit'",
            )
        )
    if of_tries is not Status.OK:
        actions.append(
            Action(
                "Call the customer before the bank blocks the card; no more than 3 tries "
                "(runbook 000). Many cards of one customer are card testing",
                "payops health --only payments.declines",
            )
        )
    return tuple(actions)


CHECK = Check(
    title="Payments do not fail for many customers",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-27", "S0-04", "S0-10", "S2-09"),
)
