"""Stored commissions beside amount x rate (S3-33)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import worst
from payops.engine.external_asked import MOST_ROWS, Answer, Asked
from payops.engine.external_words import (
    SHOWN,
    at_risk,
    either,
    many,
    money_json,
    remedies_of,
    signs,
)
from payops.errors import NotConfiguredError
from payops.reconcile.external_commission import CommissionFinding, Wrong, judge_commission

if TYPE_CHECKING:
    from payops.domain.external import SaleCounts


def commissions(asked: Asked) -> Answer:
    """Is each commission amount x rate?"""
    columns = asked.transactions.columns
    if not columns.commission_rate or not columns.commission_amount:
        raise NotConfiguredError("not used here: no commission_rate and commission_amount mapped")
    rows = asked.reader.commissions(MOST_ROWS + 1)
    counts = asked.reader.commission_counts()
    judged = (judge_commission(row, asked.terms) for row in rows[:MOST_ROWS])
    found = [each for each in judged if each is not None]
    result = _judged_commissions(found, counts, asked, len(rows) > MOST_ROWS)
    return result, [_told_commission(one) for one in found]


def _judged_commissions(
    found: Sequence[CommissionFinding], counts: SaleCounts, asked: Asked, more: bool
) -> CheckResult:
    wrong = [one for one in found if one.wrong is not Wrong.UNROUNDED]
    unrounded = len(found) - len(wrong)
    said = []
    if wrong:
        kinds = Counter(one.wrong for one in wrong)
        words = ", ".join(f"{count:,} {kind.value}" for kind, count in kinds.most_common())
        bad = f"{len(wrong):,}{' or more' if more else ''} of {many(counts.paid, 'commission')}"
        said.append(f"{bad} {either(wrong, 'is', 'are')} not amount x rate: {words}")
        said += [words for words in (signs([one.difference for one in wrong]),) if words]
    else:
        said.append(f"{many(counts.paid, 'commission')} reckoned anew, half up: each agrees")
    if unrounded:
        said.append(f"{unrounded:,} {'is' if unrounded == 1 else 'are'} not rounded")
    if counts.without_rate:
        said.append(
            f"{counts.without_rate:,} without a rate (first: transaction "
            f"{counts.first_without_rate})"
        )
    if counts.refund_explains:
        said.append(f"{counts.refund_explains:,} explained by a refund")
    measured = {"count": len(wrong), "unrounded": unrounded, "without_rate": counts.without_rate}
    limits = asked.limits
    ordered = sorted(
        found, key=lambda one: -abs(one.difference.minor) if one.difference else -(10**18)
    )
    column = asked.transactions.columns.commission_amount
    mends = any(not one.sale.collected and one.wrong in _MENDED for one in found)
    actions = remedies_of(asked.settings, asked.ledger.table, column, "them") if mends else []
    if wrong and any(one.sale.collected for one in wrong):
        actions.append(Action("Settle by hand what was collected already: no remedy moves it"))
    return CheckResult(
        worst(limits[name].judge(value) for name, value in measured.items()),
        "; ".join(said),
        source="postgres",
        as_of=asked.now,
        measured={
            **measured,
            "transactions": counts.paid,
            "refund_explains": counts.refund_explains,
        },
        evidence=tuple(
            Evidence(
                _line_commission(one),
                "postgres",
                asked.now,
                {
                    "transaction": one.sale.id,
                    "reference": one.sale.reference,
                    "connection": one.sale.connection,
                    "rate": one.sale.rate,
                    "collected": one.sale.collected,
                },
            )
            for one in ordered[:SHOWN]
        ),
        actions=tuple(actions),
        money_at_risk=at_risk(one.difference for one in wrong),
    )


_MENDED = frozenset({Wrong.DIFFERS, Wrong.MISSING, Wrong.UNROUNDED})


def _line_commission(one: CommissionFinding) -> str:
    sale = one.sale
    head = f"transaction {sale.id}"
    if one.due is None:
        return f"{head}: {one.why}"
    stored = sale.commission if sale.commission is not None else "NULL"
    why = f"; {one.why}" if one.why else ""
    return f"{head}: {sale.amount} x {sale.rate} is {one.due}, stored is {stored}{why}"


def _told_commission(one: CommissionFinding) -> Mapping[str, Any]:
    sale = one.sale
    return {
        "id": sale.id,
        "wrong": one.wrong.value,
        "connection": sale.connection,
        "reference": sale.reference,
        "status": sale.status,
        "currency": sale.currency,
        "amount": sale.amount,
        "rate": sale.rate,
        "stored": sale.commission,
        "due": money_json(one.due),
        "difference": money_json(one.difference),
        "collected": sale.collected,
        "why": one.why,
    }
