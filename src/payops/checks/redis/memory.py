"""Is memory left in Redis?

At maxmemory it throws keys away, or, with the policy noeviction, refuses every write: then no
idempotency key can be set and no task be queued (runbook 004 keeps both in Redis).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: evictions, or refusals, begin at 100 %
    "memory": Threshold(85, 95, "%", "payops: share of maxmemory; of the machine's without one"),
}


@dataclass(frozen=True)
class Facts:
    """Bytes; `maxmemory` 0 is no limit but the machine's `system`, 0 where that is not known."""

    as_of: datetime
    used: int
    maxmemory: int
    system: int
    policy: str
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    facts = ctx.sources.redis.state()
    return Facts(
        as_of=facts.as_of,
        used=facts.used_memory,
        maxmemory=facts.maxmemory or 0,
        system=facts.total_system_memory,
        policy=facts.maxmemory_policy,
        cli=ctx.sources.redis.cli,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    most = facts.maxmemory or facts.system
    share = 100 * facts.used / most if most else None
    status = limits["memory"].judge(share or 0)
    summary = f"{facts.used / 1024**2:,.1f} MiB used"
    if share is not None:
        whose = "its limit" if facts.maxmemory else "the machine's memory; it has no limit"
        summary += f", {share:.0f} % of {whose}"
    if status is not Status.OK and facts.maxmemory:
        what = "writes are refused" if facts.policy == "noeviction" else "keys are thrown away"
        summary += f"; at 100 % {what} (policy {facts.policy})"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"memory": None if share is None else round(share, 1), "bytes": facts.used},
        actions=(
            Action("Find what fills it", f"{facts.cli} --bigkeys"),
            Action("Give it memory: maxmemory, or a larger machine"),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Redis has memory left",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22",),
)
