"""Do collections of what owners owe fail?

Runbook 003, 'Commission Collection Failures': more than five that failed within seven days are an
issue; it lists them with their reasons.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks.contract import Check, Context
from payops.checks.external.stuck_collections import money_of
from payops.checks.outside import SHOWN, many, outside, said, seen_owed
from payops.domain.evidence import Action
from payops.domain.external import Owed, OwedRow
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {"count": Threshold(5, None, "count", "S3-29: more than 5 in 7 days is an issue")}
LOOKBACK = timedelta(days=7)  # S3-29


@dataclass(frozen=True)
class Facts:
    """Those of seven days, and the first of them."""

    as_of: datetime
    owed: tuple[Owed, ...]
    rows: tuple[OwedRow, ...]


def gather(ctx: Context) -> Facts:
    external = ctx.settings.external
    if external is None or external.collections is None:
        raise NotConfiguredError("not used here: external.collections is not mapped")
    mapped = external.collections
    if not mapped.columns.status or not (mapped.columns.created_at or mapped.columns.failed_at):
        raise NotConfiguredError("not used here: collections have no status or no time")
    state = outside(ctx)
    since = ctx.sources.postgres.server().now - LOOKBACK
    found = state.owed(mapped.failed, since=since, failing=True)
    rows: tuple[OwedRow, ...] = ()
    if found.rows:
        rows = state.owed_first(mapped.failed, SHOWN, since=since, failing=True).rows
    return Facts(found.as_of, found.rows, rows)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count = sum(one.count for one in facts.owed)
    status = limits["count"].judge(count)
    reasons = Counter(said(row.reason) or "no reason recorded" for row in facts.rows)
    summary = f"{many(count, 'collection')} failed in {LOOKBACK.days} days"
    if reasons:
        summary += f", first by {reasons.most_common(1)[0][0]}"
    return CheckResult(
        status,
        summary if count else f"no collection failed in {LOOKBACK.days} days",
        as_of=facts.as_of,
        since=min((one.oldest for one in facts.owed if one.oldest), default=None)
        if status is not Status.OK
        else None,
        measured={"count": count},
        evidence=tuple(
            seen_owed(row, said(row.reason) or "no reason recorded", facts.as_of)
            for row in facts.rows
        ),
        actions=_ACTIONS if status is not Status.OK else (),
        money_at_risk=money_of(facts.owed),
    )


_ACTIONS = (
    Action("Whose they are, and what each asks for", "payops connections"),
    Action(
        "Hold what they ask for against their transactions before they are tried again",
        "payops reconcile external",
    ),
)

CHECK = Check(
    title="Collections do not fail",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-29", "S3-30"),
)
