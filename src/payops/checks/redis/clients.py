"""Does Redis turn clients away?

At maxclients it refuses every new connection: workers and web processes that restart do not come
back, and a pool that leaks brings it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context, Earlier
from payops.checks.counted import since_earlier
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold

ID = "redis.clients"
LIMITS = {
    "clients": Threshold(80, 95, "%", "payops: share of maxclients; a deploy doubles them"),
    "rejected": Threshold(0, None, "count", "payops: since an earlier run, else since the start"),
}


@dataclass(frozen=True)
class Facts:
    """`rejected` counts since the server's start, `uptime_s` ago; `maxclients` is 0 where this
    server does not tell."""

    as_of: datetime
    clients: int
    maxclients: int
    rejected: int
    uptime_s: int
    cli: str = "redis-cli"
    earlier: Earlier | None = None


def gather(ctx: Context) -> Facts:
    facts = ctx.sources.redis.state()
    return Facts(
        as_of=facts.as_of,
        clients=facts.connected_clients,
        maxclients=facts.maxclients or 0,
        rejected=facts.rejected_connections,
        uptime_s=facts.uptime_s,
        cli=ctx.sources.redis.cli,
        earlier=ctx.earlier.get(ID),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    share = 100 * facts.clients / facts.maxclients if facts.maxclients else None
    newer = since_earlier(facts.rejected, facts.as_of, facts.earlier, "total_rejected")
    rejected = newer.count if newer else facts.rejected
    span = newer.seconds if newer else facts.uptime_s
    status = worst([limits["clients"].judge(share or 0), limits["rejected"].judge(rejected)])
    summary = f"{facts.clients:,} clients"
    if share is not None:
        summary += f" of {facts.maxclients:,} ({share:.0f} %)"
    if rejected:
        summary += f"; {rejected:,} turned away in the last {human_duration(span)}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={
            "clients": None if share is None else round(share, 1),
            "rejected": rejected,
            "total_rejected": facts.rejected,
        },
        actions=(
            Action(
                "See who they are, and how long they have been idle", f"{facts.cli} CLIENT LIST"
            ),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Redis turns no client away",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22",),
)
