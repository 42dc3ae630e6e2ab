"""Does Redis answer, as what, and how fast?

Idempotency keys, webhook dedupe keys and the breaker live here (runbook 004, step 2). Memory,
eviction and the rest have checks of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: INFO takes under 1 ms; a KEYS * or a fork of a large one takes seconds
    "latency": Threshold(500, None, "ms", "payops: every payment asks it several times"),
}


@dataclass(frozen=True)
class Facts:
    """`cli` is the `redis-cli` that asks this server."""

    as_of: datetime
    version: str
    role: str
    uptime_s: int
    latency_ms: float
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    facts = ctx.sources.redis.state()
    return Facts(
        as_of=facts.as_of,
        version=facts.version,
        role=facts.role,
        uptime_s=facts.uptime_s,
        latency_ms=facts.latency_ms,
        cli=ctx.sources.redis.cli,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    status = limits["latency"].judge(facts.latency_ms)
    role = "replica" if facts.role == "slave" else facts.role
    return CheckResult(
        status,
        f"Redis {facts.version}, {role}, up for {human_duration(facts.uptime_s)}, answers in "
        f"{human_duration(facts.latency_ms / 1000)}",
        as_of=facts.as_of,
        measured={"latency": round(facts.latency_ms, 1), "uptime_s": facts.uptime_s},
        actions=(Action("See what was slow there: KEYS, large values", f"{facts.cli} SLOWLOG GET"),)
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Redis answers",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22", "S4-23"),
    when_down=(
        Action("Ask from where the application runs too: the fault may be this machine's network"),
        Action(
            "Without Redis there is no breaker, no idempotency key and no dedupe: "
            "do not retry payments by hand"
        ),
    ),
)
