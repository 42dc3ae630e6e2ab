"""What share of all payments failed by our fault or Stripe's, and why?

Runbook 000 alerts above 2 % over an hour, runbook 004 calls more than 10 % in five minutes a P2:
what began just now is thin in an hour's payments, so the last five minutes are judged as well. What
the customer's bank declined is counted beside it: it is no incident of ours (runbook 002).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks.contract import Check, Context
from payops.checks.ledger import (
    MAP_THEM,
    USABLE,
    Tally,
    not_judged,
    reason_text,
    recent_outcomes,
    tally,
    unmapped,
)
from payops.domain.duration import human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.domain.window import Window

LIMITS = {
    "rate": Threshold(2, 10, "%", "S0-41: error rate > 2 %; S4-33: failure rate > 10 % is P2"),
    "lately": Threshold(None, 10, "%", "S4-33: failure rate > 10 % in 5 min is P2"),
    # One failure among three is 33 %: too few to wake anybody, so no more than WARN.
    "sample": Threshold(5, None, "count", "payops: fewer attempts are at most WARN", "lower"),
}
LATELY = timedelta(minutes=5)  # S4-33
SINGLE = 2  # failures of so short a time that are a matter of one customer (S2-09)
REASONS = 10  # as evidence; an application that records free text has thousands
# Which check tells more about a reason that we know.
_LEADS = {
    "circuit_open": "circuit.state",
    "authentication_error": "stripe.api",
    "api_connection_error": "stripe",
    "api_error": "stripe",
    "timeout": "stripe",
    "rate_limit": "stripe",
    "rate_limit_error": "stripe",
}


@dataclass(frozen=True)
class Facts:
    """The window's payments; `window_s` is its length in seconds. `lately` are those of its last
    five minutes, None where it is no longer than that."""

    as_of: datetime
    window_s: float
    tally: Tally
    lately: Tally | None = None


def gather(ctx: Context) -> Facts:
    outcomes, window, ledger = recent_outcomes(ctx)
    lately = None
    if window.length > LATELY:
        newest = Window(window.until - LATELY, window.until)
        lately = tally(ctx.sources.postgres.ledger(ledger).outcomes(newest), ledger)
    return Facts(outcomes.as_of, window.length.total_seconds(), tally(outcomes, ledger), lately)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    counted, span = facts.tally, human_span(facts.window_s)
    newest = _rate(facts.lately) if facts.lately else None
    measured = {
        "sample": counted.attempts,
        "failed": counted.ours,
        "declined": counted.declined,
        "lately": None if newest is None else round(newest, 2),
        "leads": _leads(counted),
    }
    if counted.attempts == 0:
        return CheckResult(
            Status.WARN if counted.unknown else Status.OK,
            not_judged(counted, span),
            as_of=facts.as_of,
            measured={"rate": None, **measured},
            actions=(MAP_THEM,) if counted.unknown else (),
        )
    rate = 100 * counted.ours / counted.attempts
    status = limits["rate"].judge(rate)
    few = limits["sample"].judge(counted.attempts) is not Status.OK
    if status is Status.CRIT and few:
        status = Status.WARN
    burst = Status.OK
    if newest is not None and _many(facts.lately, limits):
        burst = limits["lately"].judge(newest)
        status = max((status, burst), key=lambda one: one.rank)
    noun = "payment" if counted.attempts == 1 else "payments"
    if counted.ours:
        top = next(iter(counted.reasons))
        most = "most " if len(counted.reasons) > 1 else ""
        summary = (
            f"{counted.ours:,} of {counted.attempts:,} {noun} failed by our fault in {span} "
            f"({_percent(counted)}), {most}by {reason_text(top)}"
        )
    else:
        summary = f"none of {counted.attempts:,} {noun} failed by our fault in {span}"
    if counted.declined:
        summary += f"; {counted.declined:,} declined by the issuer"
    if burst is not Status.OK and facts.lately:
        summary += (
            f"; {facts.lately.ours:,} of {facts.lately.attempts:,} ({_percent(facts.lately)}) in "
            f"{human_span(LATELY.total_seconds())}"
        )
    if counted.unknown:
        summary += f"; {unmapped(counted)}"
    if few and status is not Status.OK:
        summary += "; too few to be sure"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=counted.since if status is not Status.OK else None,
        measured={"rate": round(rate, 2), **measured},
        evidence=_evidence(facts),
        actions=_actions(counted) if status is not Status.OK else (),
        money_at_risk=counted.money,
    )


def _rate(counted: Tally) -> float | None:
    """Failures by our fault in % of all attempts; None of none."""
    return 100 * counted.ours / counted.attempts if counted.attempts else None


def _many(counted: Tally | None, limits: Limits) -> bool:
    """Whether so short a time has enough in it: three failures, and a sample."""
    return (
        counted is not None
        and counted.ours > SINGLE
        and limits["sample"].judge(counted.attempts) is Status.OK
    )


def _leads(counted: Tally) -> str | None:
    """The checks that all the reasons lead to, between commas; None where one leads nowhere."""
    leads = [_LEADS.get(reason) for reason in counted.reasons]
    return ",".join(sorted({lead for lead in leads if lead})) if leads and all(leads) else None


def _percent(counted: Tally) -> str:
    """One decimal, rounded up, so that one failure is never shown as 0 %."""
    return f"{-(-counted.ours * 1000 // counted.attempts) / 10:g} %"


def _evidence(facts: Facts) -> tuple[Evidence, ...]:
    reasons = list(facts.tally.reasons.items())
    seen = [
        Evidence(f"{count:,} by {reason_text(reason)}", "postgres", facts.as_of, {"count": count})
        for reason, count in reasons[:REASONS]
    ]
    if len(reasons) > REASONS:
        others = sum(count for _, count in reasons[REASONS:])
        what = f"{others:,} by {len(reasons) - REASONS:,} other reasons"
        seen.append(Evidence(what, "postgres", facts.as_of, {"count": others}))
    if facts.tally.inexact:
        what = f"{facts.tally.inexact:,} of them without a usable amount: in no sum"
        seen.append(Evidence(what, "postgres", facts.as_of, {"count": facts.tally.inexact}))
    return tuple(seen)


def _actions(counted: Tally) -> tuple[Action, ...]:
    leads = dict.fromkeys(_LEADS[reason] for reason in counted.reasons if reason in _LEADS)
    why = tuple(
        Action(f"The reason leads to {lead}", f"payops health --only {lead}") for lead in leads
    ) or (Action("Look for the reason in the application's log: no check of payops explains it"),)
    return (*why, USABLE) if counted.inexact * 2 > counted.ours else why


CHECK = Check(
    title="Payments do not fail by our fault",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-01", "S0-02", "S0-03", "S0-04", "S0-41", "S4-33"),
)
