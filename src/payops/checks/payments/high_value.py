"""Payments that are larger than this shop's usually are.

Runbook 001 has high-value payments flagged, and gives no number: `risk.high_value` says what is
high in each currency. A mistake of units (19.99 charged as 1,999.00) is found by it, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.ledger import database_window, payments_ledger, signs
from payops.domain.duration import human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "count": Threshold(0, None, "count", "S1-22: flag high-value payments"),
}


@dataclass(frozen=True)
class Facts:
    """Payments above the limit of their currency; `largest` is one key a currency."""

    as_of: datetime
    window_s: float
    limits: tuple[Money, ...]
    money: tuple[MoneyAtRisk, ...]
    largest: tuple[tuple[str, Money], ...]
    first: datetime | None


def gather(ctx: Context) -> Facts:
    payments_ledger(ctx)
    high = ctx.settings.risk.high_value
    if not high:
        raise NotConfiguredError("nothing says what is a high value here (risk.high_value)")
    window = database_window(ctx)
    found = signs(ctx).high(window, high)
    return Facts(
        as_of=found.as_of,
        window_s=window.length.total_seconds(),
        limits=tuple(Money(currency, minor) for currency, minor in high.items()),
        money=found.money,
        largest=tuple((id_, Money(currency, minor)) for id_, currency, minor in found.largest),
        first=found.first,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count, span = sum(one.count for one in facts.money), human_span(facts.window_s)
    status = limits["count"].judge(count)
    above = " or ".join(str(limit) for limit in facts.limits)
    noun = "payment" if count == 1 else "payments"
    if count:
        key, largest = max(facts.largest, key=lambda one: one[1].minor)
        summary = f"{count:,} {noun} above {above} in {span}, the largest {largest}"
        evidence = tuple(
            Evidence(f"{shortened(id_, 60)}: {money}", "postgres", facts.as_of, {"id": id_})
            for id_, money in facts.largest
        )
    else:
        summary, evidence, key = f"no payment above {above} in {span}", (), ""
    typeable = key.replace("-", "").replace("_", "").isalnum() and not key.startswith("-")
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=facts.first if status is not Status.OK else None,
        measured={"count": count},
        evidence=evidence,
        actions=(
            Action(
                "Is it a sale, a mistake of units (100 times too much), or fraud? Look at the "
                "largest one",
                f"payops trace {key}" if typeable else "",
            ),
            Action("When such payments are usual here, raise risk.high_value"),
        )
        if status is not Status.OK
        else (),
        money_at_risk=facts.money,
    )


CHECK = Check(
    title="No payment is unusually large",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-22",),
)
