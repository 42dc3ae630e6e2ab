"""Do outside processors take what they should, beside the platform?

Runbook 003, 'Analytics and Reporting Issues': totals of 30 days, the platform's completed payments
and the outside processors', where transactions are missing or the total is zero. Connected
processors without a single transaction in a month, or with rows whose status or amount nobody can
read, make every total wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks.contract import Check, Context
from payops.checks.ledger import payments_ledger
from payops.checks.outside import connections_mapped, many, outside
from payops.domain.evidence import Action, Evidence
from payops.domain.external import OutsideSum
from payops.domain.money import Money
from payops.domain.payment import PAID
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold
from payops.domain.window import Window
from payops.errors import NotConfiguredError

LOOKBACK = timedelta(days=30)  # S3-36
LIMITS = {
    "count": Threshold(
        1, None, "count", "S3-35: connected, and not one transaction in 30 days", "lower"
    ),
    "unreadable": Threshold(0, None, "count", "S3-35: rows in no total"),
}


@dataclass(frozen=True)
class Facts:
    """Sums of 30 days: the platform's by currency (minor units, count), each processor's; how many
    connections are connected."""

    as_of: datetime
    platform: tuple[tuple[Money, int], ...]
    outside: tuple[OutsideSum, ...]
    connected: int


def gather(ctx: Context) -> Facts:
    external = ctx.settings.external
    if external is None or external.transactions is None:
        raise NotConfiguredError("not used here: no outside processors' transactions are mapped")
    from payops.sources.external_sums import outside_sums
    from payops.sources.ledger_stats import StatsReader

    mapped = connections_mapped(ctx)
    postgres = ctx.sources.postgres
    now = postgres.server().now
    window = Window(now - LOOKBACK, now)
    words = {word.lower() for word in mapped.connected}
    rows = outside(ctx).connections(1_000).rows
    sums: dict[str, tuple[int, int]] = {}
    for row in StatsReader(postgres, payments_ledger(ctx)).outcomes(window):
        if row.status in PAID:
            minor, count = sums.get(row.currency, (0, 0))
            sums[row.currency] = (minor + row.minor, count + row.count - row.inexact)
    return Facts(
        as_of=now,
        platform=tuple((Money(code, minor), n) for code, (minor, n) in sorted(sums.items())),
        outside=outside_sums(postgres, ctx.settings, window),
        connected=sum(1 for row in rows if row.status in words),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count = sum(one.count for one in facts.outside)
    unreadable = sum(one.inexact for one in facts.outside)
    silent = limits["count"].judge(count) if facts.connected else Status.OK
    status = worst((silent, limits["unreadable"].judge(unreadable)))
    outside_money: dict[str, int] = {}
    for one in facts.outside:
        outside_money[one.currency] = outside_money.get(one.currency, 0) + one.minor
    ours = ", ".join(str(money) for money, _ in facts.platform) or "nothing"
    theirs = ", ".join(str(Money(c, m)) for c, m in sorted(outside_money.items())) or "nothing"
    summary = (
        f"{LOOKBACK.days} days: platform {ours}, outside processors {theirs} "
        f"({many(count, 'transaction')}, {many(facts.connected, 'connected connection')})"
    )
    if unreadable:
        summary += f"; {unreadable:,} with an unreadable amount"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={
            "count": count,
            "unreadable": unreadable,
            "platform": sum(n for _, n in facts.platform),
        },
        evidence=tuple(
            Evidence(
                f"{one.processor or 'of no connection'}: {Money(one.currency, one.minor)} in "
                f"{many(one.count, 'transaction')}",
                "postgres",
                facts.as_of,
                {"fees_minor": one.fee, "commission_minor": one.commission},
            )
            for one in facts.outside[:10]
        ),
        actions=_ACTIONS if status is not Status.OK else (),
    )


_ACTIONS = (
    Action("See whether the connections bring transactions at all", "payops connections"),
    Action("Hold each connection's own totals against its rows", "payops reconcile external"),
)

CHECK = Check(
    title="Outside processors' totals beside the platform's",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-12", "S3-35", "S3-36"),
)
