"""Which statements are slow on average?

Runbook 000 asks pg_stat_statements for the ten slowest by their mean. Where it is not turned on,
that is said, and how to do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.checks.sessions import grant
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.statement import shown
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.sources.postgres_statements import Statement

# One that ran a few times may have been a person's, or waited for a lock once.
CALLS = 20
LIMITS = {
    # no runbook gives one: a payment's statements take milliseconds each
    "mean": Threshold(1000, 5000, "ms", "payops: S0-43 calls 10 s slow for a whole payment"),
}
_SHOWN = 10


@dataclass(frozen=True)
class Facts:
    """The slowest statements; `installed` is whether the extension is there, `available` whether
    the server brings it."""

    as_of: datetime
    installed: bool
    available: bool = True
    role: str = ""
    statements: tuple[Statement, ...] = ()


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database
    from payops.sources.postgres_statements import statements

    here = database(ctx.sources.postgres)
    if here.statements_schema is None:
        return Facts(here.as_of, False, here.statements_available, here.role)
    found = statements(ctx.sources.postgres, here.statements_schema, CALLS)
    return Facts(found.as_of, True, True, here.role, found.rows)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    if not facts.installed:
        return _turn_it_on(facts)
    seen = [one for one in facts.statements if not one.hidden]
    slowest = max((one.mean_ms for one in seen), default=0.0)
    status = limits["mean"].judge(slowest)
    if status is Status.OK and len(seen) < len(facts.statements):
        return CheckResult(
            Status.SKIP,
            f"role {facts.role} may not see other roles' statements",
            as_of=facts.as_of,
            measured={"mean": None},
            actions=(grant("pg_read_all_stats", facts.role),),
        )
    summary = f"no statement ran {CALLS} times yet"
    if seen:
        summary = (
            f"the slowest statement takes {human_duration(slowest / 1000)} on average: "
            f"{shown(seen[0].query or '')}"
        )
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"mean": round(slowest, 1)},
        evidence=tuple(
            Evidence(
                f"{human_duration(one.mean_ms / 1000)} on average, "
                f"{human_duration(one.max_ms / 1000)} at most, {one.calls:,} times: "
                f"{shown(one.query or '')}",
                "postgres",
                facts.as_of,
            )
            for one in seen[:_SHOWN]
            if status is not Status.OK
        ),
        actions=(
            Action("See its plan (EXPLAIN) and whether an index is missing"),
            Action(
                "When it is mended, count anew",
                psql("select pg_stat_statements_reset()"),
            ),
        )
        if status is not Status.OK
        else (),
    )


def _turn_it_on(facts: Facts) -> CheckResult:
    if not facts.available:
        return CheckResult(
            Status.SKIP,
            "pg_stat_statements is not installed on the server (package postgresql-contrib)",
            as_of=facts.as_of,
            measured={"mean": None},
        )
    return CheckResult(
        Status.SKIP,
        "pg_stat_statements is not turned on in this database",
        as_of=facts.as_of,
        measured={"mean": None},
        actions=(
            Action(
                "Turn it on: shared_preload_libraries = 'pg_stat_statements' in postgresql.conf, a "
                "restart, then as a superuser",
                'psql "$DSN_OF_AN_OWNER" -c "CREATE EXTENSION pg_stat_statements"',
            ),
        ),
    )


CHECK = Check(
    title="No statement is slow on average",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-53", "S3-12"),
)
