"""What share of the payments that could succeed did succeed?

Runbooks 000 and 001 alert below 95 % over an hour; runbook 002 leaves out what the customer's bank
declined. A payment still open or canceled by the customer is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.ledger import (
    MAP_THEM,
    Tally,
    not_judged,
    recent_outcomes,
    tally,
    unmapped,
)
from payops.domain.duration import human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "rate": Threshold(
        95,
        90,
        "%",
        "S0-40 and S2-27: alert below 95 %; S4-33: a tenth failing is P2",
        worse="lower",
    ),
    # One failure among three is 67 %: too few to wake anybody, so no more than WARN.
    "sample": Threshold(
        5, None, "count", "payops: fewer decided payments are at most WARN", "lower"
    ),
}


@dataclass(frozen=True)
class Facts:
    """The window's payments; `window_s` is its length in seconds."""

    as_of: datetime
    window_s: float
    tally: Tally


def gather(ctx: Context) -> Facts:
    outcomes, window, ledger = recent_outcomes(ctx)
    return Facts(outcomes.as_of, window.length.total_seconds(), tally(outcomes, ledger))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    counted, span = facts.tally, human_span(facts.window_s)
    measured = {"sample": counted.decided, "paid": counted.paid, "failed": counted.ours}
    evidence = _unknown(facts)
    if counted.decided == 0:
        return CheckResult(
            Status.WARN if evidence else Status.OK,
            not_judged(counted, span),
            as_of=facts.as_of,
            measured={"rate": None, **measured},
            evidence=evidence,
            actions=(MAP_THEM,) if evidence else (),
        )
    rate = 100 * counted.paid / counted.decided
    status = rated = limits["rate"].judge(rate)
    few = limits["sample"].judge(counted.decided) is not Status.OK
    if status is Status.CRIT and few:
        status = Status.WARN
    if evidence and status is Status.OK:
        status = Status.WARN
    declines = "issuer decline" if counted.declined == 1 else "issuer declines"
    left_out = f"; {counted.declined:,} {declines} left out" if counted.declined else ""
    note = "; too few to be sure" if few and rated is not Status.OK else ""
    if evidence:
        note += f"; {unmapped(counted)}"
    return CheckResult(
        status,
        f"{_percent(counted)} of payments succeeded in {span} "
        f"({counted.paid:,} of {counted.decided:,}{left_out}){note}",
        as_of=facts.as_of,
        since=counted.since if status is not Status.OK else None,
        measured={"rate": round(rate, 2), **measured},
        evidence=evidence,
        actions=_actions(status, counted),
        money_at_risk=counted.money,
    )


def _percent(counted: Tally) -> str:
    """One decimal, rounded down, so that 99.96 % is never shown as 100 %."""
    return f"{counted.paid * 1000 // counted.decided / 10:g} %"


def _unknown(facts: Facts) -> tuple[Evidence, ...]:
    if not facts.tally.unknown:
        return ()
    return (
        Evidence(
            unmapped(facts.tally),
            "postgres",
            facts.as_of,
            {"unknown_status": facts.tally.unknown},
        ),
    )


def _actions(status: Status, counted: Tally) -> tuple[Action, ...]:
    if status is Status.OK:
        return ()
    why = Action("See why they failed", "payops health --only payments.failure-rate")
    return (*((why,) if counted.ours else ()), *((MAP_THEM,) if counted.unknown else ()))


CHECK = Check(
    title="Payments succeed",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-40", "S2-27"),
)
