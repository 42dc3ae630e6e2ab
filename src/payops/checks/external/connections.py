"""Do the connections to outside processors work?

Runbook 003, 'External Processor Connection Issues': whatever is not connected is an issue, and no
connection at all a warning. What was disconnected on purpose is none; an expired one is told by
`external.tokens`; one still pending becomes an issue once it has had a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from payops.checks.contract import Check, Context
from payops.checks.outside import (
    SHOWN,
    Connections,
    all_connections,
    by_word,
    many,
    said,
    seen,
)
from payops.domain.duration import ago
from payops.domain.evidence import Action
from payops.domain.external import Connection
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold

if TYPE_CHECKING:
    from payops.config.settings import Remedy

LIMITS = {
    "failed": Threshold(0, None, "count", "S3-17: a connection in error"),
    "stuck": Threshold(0, None, "count", "S3-26: pending, and never connected"),
    "failing": Threshold(0, None, "count", "S3-26: connected, and its sync fails"),
    # None of several: outside payments are at a standstill.
    "working": Threshold(None, 1, "count", "S3-17: healthy = connected (n of m)", "lower"),
}
# Nobody's paperwork at a processor takes longer than a day unnoticed.
PENDING = timedelta(hours=24)


@dataclass(frozen=True)
class Facts:
    """All connections; `remedy` is the one that puts failed ones back, if there is one."""

    connections: Connections
    remedy: str = ""


def gather(ctx: Context) -> Facts:
    found = all_connections(ctx)
    external = ctx.settings.external
    table = external.connections.table if external and external.connections else ""
    return Facts(found, remedy_of(table, ctx.settings.remedies.items()))


def remedy_of(table: str, remedies: Iterable[tuple[str, Remedy]]) -> str:
    """The configured remedy that sets the status of a connection; empty when there is none."""
    return next(
        (name for name, one in remedies if one.table == table and "new_status" in one.select), ""
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    found = facts.connections
    used = [row for row in found.rows if row.status not in found.retired]
    if not used:
        return CheckResult(
            Status.WARN,
            "no connection to an outside processor is configured"
            + ("; all are disconnected" if found.rows else ""),
            as_of=found.as_of,
            measured={
                "failed": 0,
                "stuck": 0,
                "failing": 0,
                "working": 0,
                "connections": len(found.rows),
            },
            actions=(Action("Where nobody uses them, leave `external:` out of the configuration"),),
        )
    settled = found.connected | found.pending | found.expired
    failed = [row for row in used if row.status not in settled]
    stuck = [row for row in used if row.status in found.pending and _old(row, found)]
    working = len(found.working)
    failing = [row for row in found.working if row.errors]
    waiting = sum(1 for row in used if row.status in found.pending) - len(stuck)
    status = worst(
        (
            limits["failed"].judge(len(failed)),
            limits["stuck"].judge(len(stuck)),
            limits["failing"].judge(len(failing)),
            # All of them still waiting, or expired, is told otherwise.
            limits["working"].judge(working) if failed else Status.OK,
        )
    )
    bad = (*failed, *stuck, *failing)
    total = f"{working:,} of {many(len(used), 'connection')} connected"
    words = by_word(row.status for row in used if row.status not in found.connected)
    total += f", {len(failing):,} of them with errors" if failing else ""
    return CheckResult(
        status,
        (f"{total}; {words}" if words else total) + ("; and more" if found.more else ""),
        as_of=found.as_of,
        measured={
            "failed": len(failed),
            "stuck": len(stuck),
            "failing": len(failing),
            "working": working,
            "connections": len(used),
            "pending": waiting + len(stuck),
        },
        evidence=tuple(seen(row, _why(row, found), found.as_of) for row in bad)[:SHOWN],
        actions=_actions(facts, failed, stuck, failing) if status is not Status.OK else (),
    )


def _old(row: Connection, found: Connections) -> bool:
    return row.created_at is None or found.as_of - row.created_at > PENDING


def _why(row: Connection, found: Connections) -> str:
    parts = [row.status or "no status"]
    if row.errors:
        parts.append(many(row.errors, "error"))
    if row.last_error:
        parts.append(f"last: {said(row.last_error)}")
    if row.status in found.pending and row.created_at:
        parts.append(f"made {ago(row.created_at, found.as_of)}")
    if row.last_sync:
        parts.append(f"synced {ago(row.last_sync, found.as_of)}")
    return ", ".join(parts)


def _actions(
    facts: Facts, failed: list[Connection], stuck: list[Connection], failing: list[Connection]
) -> tuple[Action, ...]:
    actions = [Action("What each says, and what hangs on it", "payops connections")]
    if failed and facts.remedy:
        actions.append(
            Action(
                "When the processor answers again, plan to have failed ones tried anew",
                f"payops remedy plan {facts.remedy} --save-plan {facts.remedy}.json",
            )
        )
    if stuck and not failed:
        actions.append(Action(f"Ask the owner of {stuck[0].name} to finish its registration"))
    if failing and not failed and not stuck:
        actions.append(
            Action(f"Have {failing[0].name} synchronised by hand, and read what it says then")
        )
    return tuple(actions)


CHECK = Check(
    title="Connections to outside processors work",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-17", "S3-26"),
)
