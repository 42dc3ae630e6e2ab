"""Does Postgres answer, as what, and how fast?

Runbooks 000 ('Database Connection Issues') and 003 (`SELECT 1`). Connections left, lag and the
rest have checks of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: the query takes 2 ms, and each payment asks several
    "latency": Threshold(1000, None, "ms", "payops: one round trip with a small query"),
}


@dataclass(frozen=True)
class Facts:
    """The server as it presents itself."""

    as_of: datetime
    version: str
    replica: bool
    latency_ms: float


def gather(ctx: Context) -> Facts:
    server = ctx.sources.postgres.server()
    return Facts(
        as_of=server.as_of,
        version=server.version,
        replica=server.in_recovery,
        latency_ms=server.latency_ms,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    status = limits["latency"].judge(facts.latency_ms)
    role = "a read-only replica" if facts.replica else "primary"
    actions: tuple[Action, ...] = ()
    if status is not Status.OK:
        actions = (
            Action(
                "See whether it is the server or the way there",
                psql("\\timing on", "select 1", "select 1"),
            ),
        )
    return CheckResult(
        status,
        f"PostgreSQL {facts.version}, {role}, answers in {human_duration(facts.latency_ms / 1000)}",
        as_of=facts.as_of,
        measured={"latency": round(facts.latency_ms, 1)},
        actions=actions,
    )


CHECK = Check(
    title="Postgres answers",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-11", "S0-50", "S0-55"),
    when_down=(
        Action("Ask from where the application runs too: the fault may be this machine's network"),
    ),
)
