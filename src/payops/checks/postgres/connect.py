"""Does Postgres answer, as what, how far behind, and with how many connections left?

Runbooks 000 ('Database Connection Issues') and 003 (`SELECT 1`, pool exhaustion).
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
    # S0-52 watches the count against a pool of 20; against the server's own limit, 80 % leaves a
    # deploy's worth of room and 95 % none
    "connections": Threshold(80, 95, "%", "S0-52; share of the limit less the reserved slots"),
    # no runbook gives one: a ledger read half a minute late shows payments as missing
    "lag": Threshold(30, 300, "s", "payops: the ledger is read from this replica"),
}


@dataclass(frozen=True)
class Facts:
    """The server as it presents itself. `lag_s` is None on a primary."""

    as_of: datetime
    version: str
    replica: bool
    lag_s: float | None
    used: int
    usable: int
    latency_ms: float


def gather(ctx: Context) -> Facts:
    server = ctx.sources.postgres.server()
    return Facts(
        as_of=server.as_of,
        version=server.version,
        replica=server.in_recovery,
        lag_s=server.replay_lag_s,
        used=server.connections,
        usable=server.available,
        latency_ms=server.latency_ms,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    share = 100 * facts.used / max(facts.usable, 1)
    of_connections = limits["connections"].judge(share)
    # A replica that cannot say how late it is may be hours behind.
    lag = limits["lag"]
    untold = facts.replica and facts.lag_s is None and (lag.warn, lag.crit) != (None, None)
    of_lag = Status.UNKNOWN if untold else lag.judge(facts.lag_s or 0)
    role = "primary"
    if facts.replica:
        behind = "lag unknown" if facts.lag_s is None else f"{human_duration(facts.lag_s)} behind"
        role = f"read-only replica, {behind}"
    actions: list[Action] = []
    if of_connections is not Status.OK:
        actions.append(
            Action(
                "See who holds them",
                'psql "$DSN" -c "select application_name, state, count(*) from pg_stat_activity '
                'group by 1, 2 order by 3 desc"',
            )
        )
    if untold:
        actions.append(
            Action(
                "Point postgres.dsn at the primary; or, if its lag is watched elsewhere, set warn "
                "and crit of thresholds: postgres.connect: lag to null"
            )
        )
    elif of_lag is not Status.OK:
        actions.append(
            Action(
                "Point postgres.dsn at the primary, or wait: rows younger than the lag are unseen"
            )
        )
    return CheckResult(
        worst([of_connections, of_lag]),
        f"PostgreSQL {facts.version}, {role}, answers in {human_duration(facts.latency_ms / 1000)};"
        f" {facts.used} of {facts.usable} connections used ({share:.0f} %)",
        as_of=facts.as_of,
        measured={
            "connections": round(share, 1),
            "lag": facts.lag_s,
            "latency_ms": round(facts.latency_ms, 1),
        },
        actions=tuple(actions),
    )


CHECK = Check(
    title="Postgres answers and has connections left",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-11", "S0-50", "S0-52", "S0-55"),
    when_down=(
        Action("Ask from where the application runs too: the fault may be this machine's network"),
    ),
)
