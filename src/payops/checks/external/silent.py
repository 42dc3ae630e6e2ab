"""Is a connection that says it is connected silent?

Runbook 003, 'External Processor Connection Issues': connected, and no transaction for more than 24
hours, is a warning: its webhooks may not arrive. The runbook's own line compares the server's local
time with a column in UTC; here the database's clock is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.outside import (
    SHOWN,
    Connections,
    all_connections,
    connections_mapped,
    many,
    seen,
)
from payops.domain.duration import ago, human_duration
from payops.domain.evidence import Action
from payops.domain.external import Connection
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "silence": Threshold(24 * 3600, None, "s", "S3-18: connected, no transaction for over 24 h"),
}


@dataclass(frozen=True)
class Facts:
    """All connections."""

    connections: Connections


def gather(ctx: Context) -> Facts:
    if not connections_mapped(ctx).columns.last_transaction:
        raise NotConfiguredError("not used here: no time of a connection's last transaction")
    return Facts(all_connections(ctx))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    found = facts.connections
    ages = {
        row.id: (found.as_of - began).total_seconds()
        for row in found.working
        if (began := _began(row))
    }
    longest = max(ages.values(), default=0.0)
    status = limits["silence"].judge(longest)
    rows = sorted(
        (row for row in found.working if row.id in ages and _silent(ages[row.id], limits)),
        key=lambda row: -ages[row.id],
    )
    working = many(len(found.working), "connected connection")
    if rows:
        summary = (
            f"{len(rows):,} of {working} without a transaction for more than "
            f"{human_duration(limits['silence'].warn or 0)}, the longest "
            f"{human_duration(longest)}: {rows[0].name}"
        )
    elif ages:
        summary = f"{working}, the longest silent for {human_duration(longest)}"
    else:
        summary = f"{working}: nothing to judge"
    return CheckResult(
        status,
        summary,
        as_of=found.as_of,
        since=_began(rows[0]) if rows else None,
        measured={"silence": round(longest), "silent": len(rows)},
        evidence=tuple(seen(row, _told(row, found.as_of), found.as_of) for row in rows[:SHOWN]),
        actions=_actions(rows) if status is not Status.OK else (),
    )


def _silent(age: float, limits: Limits) -> bool:
    return limits["silence"].judge(age) is not Status.OK


def _began(row: Connection) -> datetime | None:
    """One that never had any is silent since it was made."""
    return row.last_transaction or row.created_at


def _told(row: Connection, now: datetime) -> str:
    last = f"last {ago(row.last_transaction, now)}" if row.last_transaction else "none ever"
    synced = f", synced {ago(row.last_sync, now)}" if row.last_sync else ""
    return f"{last}{synced}"


def _actions(rows: list[Connection]) -> tuple[Action, ...]:
    return (
        Action(
            "Ask the owner whether there were sales; if so, its webhooks do not arrive: see its "
            "URL and secret",
            f"payops connections {rows[0].id}" if rows[0].id.isalnum() else "payops connections",
        ),
    )


CHECK = Check(
    title="Connected processors bring transactions",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-02", "S3-18"),
)
