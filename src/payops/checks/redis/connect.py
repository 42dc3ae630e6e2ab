"""Does Redis answer, is memory left, and has it thrown keys away?

Idempotency keys and webhook dedupe keys live here (runbook 004): a Redis that evicts them lets a
payment be charged twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: evictions begin at 100 %
    "memory": Threshold(85, 95, "%", "payops: share of maxmemory"),
    "evicted": Threshold(0, None, "count", "S4-22: an evicted idempotency key can charge twice"),
}


@dataclass(frozen=True)
class Facts:
    """`maxmemory` is 0 when there is no limit; `evicted` counts since the server's start. `cli` is
    the command line that reaches this Redis."""

    as_of: datetime
    version: str
    role: str
    used_memory: int
    maxmemory: int
    policy: str
    evicted: int
    uptime_s: int
    latency_ms: float
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    facts = ctx.sources.redis.facts()
    return Facts(
        as_of=facts.as_of,
        version=facts.version,
        role=facts.role,
        used_memory=facts.used_memory,
        maxmemory=facts.maxmemory or 0,
        policy=facts.maxmemory_policy,
        evicted=facts.evicted_keys,
        uptime_s=facts.uptime_s,
        latency_ms=facts.latency_ms,
        cli=ctx.sources.redis.cli,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    share = 100 * facts.used_memory / facts.maxmemory if facts.maxmemory else None
    of_memory = limits["memory"].judge(share or 0)
    of_evictions = limits["evicted"].judge(facts.evicted)
    megabytes = f"{facts.used_memory / 1024**2:.1f} MB"
    memory = (
        f"{megabytes} used" if share is None else f"{megabytes} used ({share:.0f} % of its limit)"
    )
    summary = (
        f"Redis {facts.version}, {facts.role}, answers in "
        f"{human_duration(facts.latency_ms / 1000)}; {memory}"
    )
    actions: list[Action] = []
    if of_evictions is not Status.OK:
        keys = "key" if facts.evicted == 1 else "keys"
        summary += (
            f"; {facts.evicted:,} {keys} evicted since it started "
            f"{human_duration(facts.uptime_s)} ago (policy {facts.policy})"
        )
        actions.append(
            Action(
                "Evicted idempotency keys can let a payment be charged twice: give Redis "
                "memory, or keep payment keys in a Redis with maxmemory-policy noeviction",
                f"{facts.cli} INFO stats",
            )
        )
    if of_memory is not Status.OK:
        actions.append(Action("Find what fills it", f"{facts.cli} --bigkeys"))
    return CheckResult(
        worst([of_memory, of_evictions]),
        summary,
        as_of=facts.as_of,
        measured={
            "memory": None if share is None else round(share, 1),
            "evicted": facts.evicted,
            "latency_ms": round(facts.latency_ms, 1),
        },
        actions=tuple(actions),
    )


CHECK = Check(
    title="Redis answers and keeps its keys",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22",),
    when_down=(
        Action("Ask from where the application runs too: the fault may be this machine's network"),
        Action(
            "Without Redis there is no breaker, no idempotency key and no dedupe: "
            "do not retry payments by hand"
        ),
    ),
)
