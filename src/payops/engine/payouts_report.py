"""What is said of payouts that were taken apart: the two checks, and each payout in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits
from payops.reconcile.payouts import PayoutFinding, reference


def judge_sums(
    findings: Sequence[PayoutFinding], limits: Limits, now: datetime, most: int | None = None
) -> CheckResult:
    """Is each payout the sum of its lines? `most` is set when there are more payouts than were
    read."""
    wrong = [each for each in findings if each.difference or each.broken or each.strangers]
    apart = sum(1 for each in findings if each.difference is not None)
    untold = len(findings) - apart
    noun = "payout" if len(findings) == 1 else "payouts"
    summary = f"{apart:,} of {len(findings):,} {noun} taken apart"
    if wrong:
        summary = f"{len(wrong):,} of {apart:,} payouts are not the sum of their lines"
    elif apart:
        summary += ": each is the sum of its lines to the cent"
    if untold:
        summary += f"; of {untold:,} Stripe does not tell what is in them"
    if most is not None:
        summary += f"; only the newest {most:,} were read"
    return CheckResult(
        limits["count"].judge(len(wrong)),
        summary,
        source="stripe",
        as_of=now,
        since=min((each.payout.created for each in wrong), default=None),
        measured={"count": len(wrong), "payouts": len(findings)},
        evidence=tuple(_evidence(each, now) for each in wrong[:10]),
        actions=tuple(
            Action(
                "Look at what the Dashboard lists in it",
                f"stripe payouts retrieve {each.payout.id}",
            )
            for each in wrong[:1]
        ),
        money_at_risk=total_at_risk(
            Money(each.payout.currency, abs(each.difference)) for each in wrong if each.difference
        ),
    )


def _evidence(finding: PayoutFinding, now: datetime) -> Evidence:
    said = []
    if finding.money is not None:
        sign = "more" if finding.money.minor > 0 else "less"
        amount = Money(finding.money.currency, abs(finding.money.minor))
        said.append(f"paid out {amount} {sign} than its lines add up to")
    if finding.broken:
        said.append(f"{len(finding.broken)} lines whose net is not amount less fee")
    if finding.strangers:
        said.append(f"{len(finding.strangers)} lines in another currency")
    detail = {"arrives": utc_text(finding.payout.arrives) if finding.payout.arrives else None}
    return Evidence(f"{finding.payout.id}: {'; '.join(said)}", "stripe", now, detail)


def judge_recorded(findings: Sequence[PayoutFinding], limits: Limits, now: datetime) -> CheckResult:
    """Is every charge and refund that was paid out in a ledger?"""
    missing = [(each, line) for each in findings for line in each.unrecorded or ()]
    money: tuple[MoneyAtRisk, ...] = total_at_risk(
        Money(line.currency, abs(line.amount)) for _, line in missing
    )
    lines = "line" if len(missing) == 1 else "lines"
    return CheckResult(
        limits["count"].judge(len(missing)),
        f"{len(missing):,} {lines} of payouts are in no ledger"
        if missing
        else "every charge and refund that was paid out is in the ledger",
        source="stripe+postgres",
        as_of=now,
        since=min((each.payout.created for each, _ in missing), default=None),
        measured={"count": len(missing)},
        evidence=tuple(
            Evidence(
                f"{line.category} {reference(line)} {Money(line.currency, line.amount)} "
                f"in {each.payout.id}",
                "stripe",
                now,
                {"balance_transaction": line.id, "source": line.source},
            )
            for each, line in missing[:10]
        ),
        actions=(
            Action(
                "See what else is missing around it",
                f"payops reconcile --since {_day(missing[0][0].payout.created)}",
            ),
        )
        if missing
        else (),
        money_at_risk=money,
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def payout_json(finding: PayoutFinding) -> Mapping[str, Any]:
    """One payout as the report's JSON has it."""
    payout = finding.payout
    return {
        "id": payout.id,
        "status": payout.status,
        "created": utc_text(payout.created),
        "arrives": utc_text(payout.arrives) if payout.arrives else None,
        "currency": payout.currency,
        "minor": payout.minor,
        "difference": finding.difference,
        "why_not": finding.why_not,
        "categories": {
            name: {"count": one.count, "amount": one.amount, "fee": one.fee, "net": one.net}
            for name, one in finding.categories.items()
        },
        "broken": list(finding.broken),
        "other_currency": list(finding.strangers),
        "unrecorded": [line.source for line in finding.unrecorded or ()],
    }
