"""Has the token of a connection to an outside processor expired, or will it soon?

Runbook 003 lists connections whose status is `error` or `expired`. Where the time of expiry is a
column, it is told before it comes; where it stands among the credentials, which are never read, the
status alone can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from payops.checks.contract import Check, Context
from payops.checks.outside import SHOWN, Connections, all_connections, many, seen
from payops.domain.duration import ago, human_duration
from payops.domain.evidence import Action
from payops.domain.external import Connection
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "expired": Threshold(0, None, "count", "S3-17: a connection that is expired"),
    "left": Threshold(7 * 86_400, 86_400, "s", "payops: time to fetch a new token", "lower"),
}


@dataclass(frozen=True)
class Facts:
    """All connections; `timed` says whether the time of expiry is mapped."""

    connections: Connections
    timed: bool


def gather(ctx: Context) -> Facts:
    found = all_connections(ctx)
    external = ctx.settings.external
    mapped = external.connections if external else None
    return Facts(found, bool(mapped and mapped.columns.expires_at))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    found = facts.connections
    used = [row for row in found.rows if row.status not in found.retired]
    expired = [row for row in used if _is_expired(row, found)]
    left = {
        row.id: (row.expires_at - found.as_of).total_seconds()
        for row in used
        if row.expires_at and row not in expired
    }
    soonest = min(left.values(), default=None)
    soon = [row for row in used if row.id in left and limits["left"].judge(left[row.id]) is not _OK]
    status = worst(
        (
            limits["expired"].judge(len(expired)),
            limits["left"].judge(soonest) if soonest is not None else Status.OK,
        )
    )
    if expired:
        summary = f"{many(len(expired), 'connection')} of {len(used):,} expired"
    else:
        summary = f"none of {many(len(used), 'connection')} is expired"
    if soonest is not None:
        summary += f"; the next ends in {human_duration(soonest)}"
    elif not facts.timed:
        summary += "; when one will expire is not known"
    return CheckResult(
        status,
        summary,
        as_of=found.as_of,
        measured={"expired": len(expired), "left": None if soonest is None else round(soonest)},
        evidence=tuple(
            seen(row, _when(row, found), found.as_of) for row in [*expired, *soon][:SHOWN]
        ),
        actions=_actions([*expired, *soon]) if status is not Status.OK else (),
    )


_OK = Status.OK


def _is_expired(row: Connection, found: Connections) -> bool:
    return row.status in found.expired or bool(row.expires_at and row.expires_at <= found.as_of)


def _when(row: Connection, found: Connections) -> str:
    if row.expires_at is None:
        return f"its status is {row.status}"
    left = (row.expires_at - found.as_of).total_seconds()
    ends = f"ends in {human_duration(left)}" if left > 0 else ago(row.expires_at, found.as_of)
    return f"its token {ends if left > 0 else f'ended {ends}'}"


def _actions(rows: list[Connection]) -> tuple[Action, ...]:
    owners = ", ".join(dict.fromkeys(row.owner for row in rows[:SHOWN] if row.owner))
    whom = f" (owners: {owners})" if owners else ""
    return (
        Action(
            f"Have the account authorised again at the processor{whom}: a new credential is what"
            " helps, setting the status back does not"
        ),
        Action("What hangs on them", "payops connections"),
    )


CHECK = Check(
    title="No connection's token has expired",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-17",),
)
