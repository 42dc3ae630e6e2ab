"""Is a Redis replica connected, and near its master?

After a failover to a replica that was behind, the newest idempotency keys are gone; read from a
replica that is cut off, a key that was set is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless
from payops.domain.threshold import Limits, Threshold

if TYPE_CHECKING:
    from payops.sources.redis import Follower


LIMITS = {
    "behind": Threshold(
        1024**2, 64 * 1024**2, "bytes", "payops: 1 MiB is thousands of keys; the backlog has 1 MiB"
    ),
}


@dataclass(frozen=True)
class Facts:
    """`link_up` is None on a master, `down_s` how long a replica has been cut off."""

    as_of: datetime
    link_up: bool | None
    down_s: float | None
    replicas: tuple[Follower, ...]
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    facts = ctx.sources.redis.state()
    return Facts(
        facts.as_of, facts.link_up, facts.link_down_s, facts.replicas, ctx.sources.redis.cli
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    behind = max((one.behind for one in facts.replicas), default=0)
    offline = [one for one in facts.replicas if not one.online]
    status = limits["behind"].judge(behind)
    parts = []
    if facts.link_up is False:
        status = Status.CRIT
        since = "" if facts.down_s is None else f" for {human_duration(facts.down_s)}"
        parts.append(f"this replica is cut off from its master{since}")
    elif facts.link_up:
        parts.append("this replica is connected to its master")
    if offline:
        status = worst([status, Status.WARN])
        parts.append(f"{len(offline)} of {len(facts.replicas)} replicas not in step yet")
    elif facts.replicas:
        count = "1 replica" if len(facts.replicas) == 1 else f"{len(facts.replicas)} replicas"
        parts.append(f"{count}, at most {behind:,} bytes behind")
    return CheckResult(
        status,
        "; ".join(parts) or "no replica",
        as_of=facts.as_of,
        measured={"behind": behind, "replicas": len(facts.replicas)},
        evidence=tuple(
            Evidence(
                f"replica {harmless(one.address)}: {'online' if one.online else 'not in step'}, "
                f"{one.behind:,} bytes behind",
                "redis",
                facts.as_of,
            )
            for one in facts.replicas
            if status is not Status.OK
        ),
        actions=(
            Action("See both ends of the link", f"{facts.cli} INFO replication"),
            Action("Do not fail over to a replica that is behind: its newest keys are missing"),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Redis replicas are in step",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22",),
)
