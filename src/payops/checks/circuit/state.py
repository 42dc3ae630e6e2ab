"""Is a circuit breaker open, and should it have half-opened by now?

Runbook 004, steps 2 and scenario 2: 5 failures in 60 s open it, 30 s later one trial goes through.
An open breaker refuses every payment, also when Stripe is well again.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime

from payops.checks.contract import Check, Context
from payops.config.circuit import Breaker
from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError


@dataclass(frozen=True)
class Facts:
    """Every configured breaker, by the clock of the Redis that holds it.

    `keys` are the Redis keys of each breaker that exist, by its name; `guards` is the dependency
    behind it, `stripe` where none is named. `cli` is the command line that reaches that Redis.
    """

    as_of: datetime
    breakers: tuple[BreakerReading, ...]
    keys: dict[str, tuple[str, ...]]
    guards: dict[str, str] = field(default_factory=dict)
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    breakers = ctx.settings.circuit.breakers
    if not breakers:
        raise NotConfiguredError("no circuit breaker is configured (circuit.breakers)")
    redis = ctx.sources.redis
    keys = [key for breaker in breakers for key in _keys(breaker)]
    stored = redis.strings(keys)
    # Absent means closed; but a state that is kept in a hash is not absent.
    unread = [breaker.keys.state for breaker in breakers if stored[breaker.keys.state] is None]
    for key, kind in redis.types(unread).items():
        if kind != "none":
            stored[key] = f"(a {kind}, not text)".encode()
    return Facts(
        as_of=redis.now(),
        breakers=tuple(_reading(breaker, stored) for breaker in breakers),
        keys={
            breaker.name: tuple(key for key in _keys(breaker) if stored.get(key) is not None)
            for breaker in breakers
        },
        guards={breaker.name: breaker.guards for breaker in breakers},
        cli=redis.cli,
    )


def _keys(breaker: Breaker) -> list[str]:
    keys = breaker.keys
    return [k for k in (keys.state, keys.failures, keys.last_failure, keys.opened_at) if k]


def _reading(breaker: Breaker, stored: dict[str, bytes | None]) -> BreakerReading:
    def text(key: str) -> str | None:
        value = stored.get(key) if key else None
        return None if value is None else value.decode("utf-8", "replace")

    return BreakerReading(
        name=breaker.name,
        raw_state=text(breaker.keys.state),
        failures=_whole(text(breaker.keys.failures)),
        failure_threshold=breaker.failure_threshold,
        opened_at=_moment(text(breaker.keys.opened_at)),
        last_failure=_moment(text(breaker.keys.last_failure)),
        recovery_s=breaker.recovery,
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\s*[0-9]{1,15}\s*", text) else None


# Before there were breakers: 0 is how programs write 'never', 20260211 a date.
_FIRST = datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)  # 1,000,000,000 s


def _moment(text: str | None) -> datetime | None:
    """Epoch seconds, milli- or microseconds, or ISO text; None for what cannot be a time."""
    if text is None:
        return None
    written = text.strip().strip("\"'")
    try:
        number = float(written)
        for scale in (1, 1_000, 1_000_000):
            if _FIRST.timestamp() <= number / scale < 1e11:
                return datetime.fromtimestamp(number / scale, UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(written)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= _FIRST else None


def judge(facts: Facts, limits: Limits) -> CheckResult:
    told = [_tell(reading, facts) for reading in facts.breakers]
    measured: dict[str, Scalar] = {}
    for reading in facts.breakers:
        prefix = "" if len(facts.breakers) == 1 else f"{reading.name}."
        measured[f"{prefix}state"] = reading.state.value if reading.state else "unknown"
        measured[f"{prefix}failures"] = reading.failures
    troubled = [one for one in told if one.status is not Status.OK]
    opened = [
        r.opened
        for r in facts.breakers
        if r.state is not BreakerState.CLOSED and r.opened and r.opened <= facts.as_of
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
    name = reading.name
    after = f" after {_failures(reading.failures)}" if reading.failures else ""
    if reading.state is None:
        return CheckResult(
            Status.UNKNOWN,
            f"{name}: stored state {_stored(reading)} is not a state payops knows",
            evidence=(_evidence(reading, facts),),
        )
    if reading.state is BreakerState.CLOSED:
        counted = f", {reading.failures} of {reading.failure_threshold} failures counted"
        if not facts.keys.get(name):
            counted = ", none of its keys is stored"
        elif not reading.failures:
            counted = ""
        return CheckResult(Status.OK, f"{name} is closed{counted}")
    evidence = (_evidence(reading, facts),)
    guards = facts.guards.get(name, "stripe")
    refused = "payments" if guards == "stripe" else f"calls to {guards}"
    if reading.state is BreakerState.HALF_OPEN:
        return CheckResult(
            Status.WARN,
            f"{name} is half-open: a trial decides whether {refused} go through again",
            evidence=evidence,
            actions=(Action("Look again in half a minute", "payops health --only circuit.state"),),
        )
    overdue = reading.overdue_s(facts.as_of)
    if reading.opened is None:
        age, due = "without an opening time", ""
    elif overdue is None:
        open_s = (facts.as_of - reading.opened).total_seconds()
        ahead = open_s < -1
        age = "since a time in the future" if ahead else f"for {human_duration(max(open_s, 0))}"
        due = (
            "" if ahead else f"; half-open is due in {human_duration(reading.recovery_s - open_s)}"
        )
    else:
        age = f"for {human_duration(overdue + reading.recovery_s)}"
        due = f"; half-open was due {human_duration(overdue)} ago: stuck, or no traffic"
    return CheckResult(
        Status.CRIT,
        f"{name} is open {age}{after}, so {refused} are refused{due}",
        evidence=evidence,
        actions=_close(guards, facts.keys.get(name, ()), facts.cli),
    )


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


# Which check tells whether what a breaker guards is well again.
_ASK = {
    "stripe": "stripe.api",
    "postgres": "postgres.connect",
    "redis": "redis.connect",
    "app": "app.health",
}


def _close(guards: str, keys: tuple[str, ...], cli: str) -> tuple[Action, ...]:
    quoted = " ".join(shlex.quote(key) for key in keys)
    return (
        Action(
            f"First see whether {guards.capitalize()} answers",
            f"payops health --only {_ASK[guards]}" if guards in _ASK else "",
        ),
        Action(
            "Only if it does: close the breaker by deleting its keys (runbook 004, scenario 2)",
            f"{cli} DEL {quoted}",
        ),
    )


CHECK = Check(
    title="Circuit breakers let payments through",
    source="redis",
    gather=gather,
    judge=judge,
    rows=("S4-06", "S4-07", "S4-08", "S4-09", "S4-10", "S4-13", "S4-17"),
)
