"""Is what owners owe stuck while it is being collected?

Runbook 003, 'Commission Collection Failures': processing for more than two hours is stuck. Nobody
knows then whether the money moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks.contract import Check, Context
from payops.checks.outside import SHOWN, many, outside, seen_owed
from payops.domain.duration import ago, human_duration
from payops.domain.evidence import Action
from payops.domain.external import Owed, OwedRow
from payops.domain.money import MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "age": Threshold(2 * 3600, None, "s", "S3-28: processing for more than 2 h is stuck"),
    "count": Threshold(0, None, "count", "S3-28: any that is stuck is a warning"),
}


@dataclass(frozen=True)
class Facts:
    """Those older than the limit, and the oldest of them."""

    as_of: datetime
    owed: tuple[Owed, ...]
    rows: tuple[OwedRow, ...]


def gather(ctx: Context) -> Facts:
    external = ctx.settings.external
    if external is None or external.collections is None:
        raise NotConfiguredError("not used here: external.collections is not mapped")
    mapped = external.collections
    if not mapped.columns.status or not mapped.columns.created_at:
        raise NotConfiguredError("not used here: collections have no status or no time")
    state = outside(ctx)
    until = ctx.sources.postgres.server().now - timedelta(seconds=_stuck_after(ctx.limits))
    found = state.owed(mapped.processing, until=until)
    rows = state.owed_first(mapped.processing, SHOWN, until=until).rows if found.rows else ()
    return Facts(found.as_of, found.rows, rows)


def _stuck_after(limits: Limits) -> float:
    age = limits["age"]
    first = age.crit if age.warn is None else age.warn
    if first is None:
        raise NotConfiguredError("both limits on the age are switched off: nothing is ever stuck")
    return first


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count = sum(one.count for one in facts.owed)
    oldest = min((one.oldest for one in facts.owed if one.oldest), default=None)
    limit = human_duration(_stuck_after(limits))
    if not count:
        return CheckResult(
            Status.OK,
            f"no collection is processing for more than {limit}",
            as_of=facts.as_of,
            measured={"count": 0, "age": 0},
        )
    age = (facts.as_of - oldest).total_seconds() if oldest else 0.0
    status = worst(
        (
            limits["count"].judge(count),
            # Past WARN is what makes each stuck; only CRIT says more than the count does.
            Status.CRIT if limits["age"].judge(age) is Status.CRIT else Status.OK,
        )
    )
    return CheckResult(
        status,
        f"{many(count, 'collection')} processing for more than {limit}"
        + (f", the oldest for {human_duration(age)}" if oldest else ""),
        as_of=facts.as_of,
        since=oldest,
        measured={"count": count, "age": round(age)},
        evidence=tuple(
            seen_owed(row, f"{row.status} since {ago(row.at, facts.as_of)}", facts.as_of)
            for row in facts.rows
            if row.at
        ),
        actions=_ACTIONS if status is not Status.OK else (),
        money_at_risk=money_of(facts.owed),
    )


def money_of(owed: tuple[Owed, ...]) -> tuple[MoneyAtRisk, ...]:
    """By currency, over all statuses."""
    sums: dict[str, tuple[int, int]] = {}
    for one in owed:
        for money in one.money:
            minor, count = sums.get(money.currency, (0, 0))
            sums[money.currency] = (minor + money.minor, count + money.count)
    found = (MoneyAtRisk(code, minor, count) for code, (minor, count) in sums.items())
    return tuple(sorted(found, key=lambda money: (-money.count, money.currency)))


_ACTIONS = (
    Action(
        "Ask the bank or processor whether the money moved before anything is tried again: a "
        "second attempt may take it twice"
    ),
    Action("Whose they are, and what each asks for", "payops connections"),
)

CHECK = Check(
    title="No collection is stuck",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-28",),
)
