"""Is a circuit breaker open, and should it have half-opened by now?

Runbook 004, steps 2 and scenario 2: 5 failures in 60 s open it, 30 s later one trial goes through.
An open breaker refuses every payment, also when Stripe is well again.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.breaker_verdict import GUARDS
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError
from payops.sources import breakers as stored


@dataclass(frozen=True)
class Facts:
    """Every configured breaker, by the clock of the Redis that holds it; `guards` is the dependency
    behind each, `stripe` where none is named."""

    as_of: datetime
    breakers: tuple[BreakerReading, ...]
    guards: dict[str, str] = field(default_factory=dict)


def gather(ctx: Context) -> Facts:
    breakers = ctx.settings.circuit.breakers
    if not breakers:
        raise NotConfiguredError("no circuit breaker is configured (circuit.breakers)")
    found = stored.read_breakers(
        ctx.sources.redis, [stored.place_of(breaker) for breaker in breakers]
    )
    return Facts(
        as_of=found[0].as_of,
        breakers=tuple(stored.reading(one, of) for one, of in zip(found, breakers, strict=True)),
        guards={breaker.name: breaker.guards for breaker in breakers},
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    told = [_tell(reading, facts) for reading in facts.breakers]
    measured: dict[str, Scalar] = {}
    for reading in facts.breakers:
        prefix = "" if len(facts.breakers) == 1 else f"{reading.name}."
        state = reading.effective(facts.as_of)
        measured[f"{prefix}state"] = state.value if state else "unknown"
        measured[f"{prefix}failures"] = reading.failures
    troubled = [one for one in told if one.status is not Status.OK]
    opened = [
        r.opened
        for r in facts.breakers
        if r.effective(facts.as_of) is not BreakerState.CLOSED
        and r.opened
        and r.opened <= facts.as_of
    ]
    return CheckResult(
        worst(one.status for one in told),
        "; ".join(one.summary for one in troubled or told),
        as_of=facts.as_of,
        since=min(opened, default=None),
        measured=measured,
        evidence=tuple(evidence for one in told for evidence in one.evidence),
        actions=tuple(action for one in told for action in one.actions),
    )


def _tell(reading: BreakerReading, facts: Facts) -> CheckResult:
    name, state = f"breaker {reading.name}", reading.effective(facts.as_of)
    after = f" after {_failures(reading.failures)}" if reading.failures else ""
    if state is None:
        return CheckResult(
            Status.UNKNOWN,
            f"{name}: stored state {_stored(reading)} is not a state payops knows",
            evidence=(_evidence(reading, facts),),
        )
    if state is BreakerState.CLOSED:
        counted = f", {reading.failures} of {reading.failure_threshold} failures counted"
        if not reading.keys:
            counted = ", none of its keys is stored"
        elif not reading.failures:
            counted = ""
        return CheckResult(Status.OK, f"{name} is closed{counted}")
    evidence = (_evidence(reading, facts),)
    guards = facts.guards.get(reading.name, "stripe")
    refused = "payments" if guards == "stripe" else f"calls to {guards}"
    if state is BreakerState.HALF_OPEN:
        return CheckResult(
            Status.WARN,
            f"{name} is half-open: a trial decides whether {refused} go through again",
            evidence=evidence,
            actions=(Action("Look again in half a minute", "payops health --only circuit.state"),),
        )
    age, due = _when(reading, facts.as_of)
    return CheckResult(
        Status.CRIT,
        f"{name} is open{age}{after}, so {refused} are refused{due}",
        evidence=evidence,
        actions=_close(guards, reading.name),
    )


def _when(reading: BreakerReading, now: datetime) -> tuple[str, str]:
    """How long it has been open, and when half-open is or was due."""
    open_s = (now - reading.opened).total_seconds() if reading.opened else None
    if reading.due is None:
        return " without an opening time", ""
    if open_s is not None and open_s < -1:
        return " since a time in the future", ""
    age = "" if open_s is None else f" for {human_duration(max(open_s, 0))}"
    overdue = reading.overdue_s(now)
    if overdue is None:
        left = (reading.due - now).total_seconds()
        return age, f"; half-open is due in {human_duration(max(left, 0))}"
    return age, f"; half-open was due {human_duration(overdue)} ago: stuck, or no traffic"


def _failures(count: int) -> str:
    return f"{count:,} {'failure' if count == 1 else 'failures'}"


def _stored(reading: BreakerReading) -> str:
    return shortened(repr(reading.raw_state), 60)


def _evidence(reading: BreakerReading, facts: Facts) -> Evidence:
    return Evidence(
        f"breaker {reading.name} stored as {_stored(reading)}",
        "redis",
        facts.as_of,
        {
            "failures": reading.failures,
            "opened_at": utc_text(reading.opened_at) if reading.opened_at else None,
            "last_failure": utc_text(reading.last_failure) if reading.last_failure else None,
        },
    )


def _close(guards: str, name: str) -> tuple[Action, ...]:
    return (
        Action(
            f"First see whether {guards.capitalize()} answers",
            f"payops health --only {GUARDS[guards]}" if guards in GUARDS else "",
        ),
        Action(
            "Only if it does: close the breaker (runbook 004, scenario 2)",
            f"payops circuit reset {shlex.quote(name)}",
        ),
    )


CHECK = Check(
    title="Circuit breakers let payments through",
    source="redis",
    gather=gather,
    judge=judge,
    rows=("S4-06", "S4-07", "S4-08", "S4-09", "S4-10", "S4-13", "S4-17"),
)
