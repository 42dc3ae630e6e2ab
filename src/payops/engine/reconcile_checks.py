"""Each class of discrepancy as a check: counted, summed, held against its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits
from payops.engine.reconcile_compared import Compared
from payops.engine.reconcile_limits import TITLES, id_of
from payops.reconcile.confirm import Confirmed
from payops.reconcile.report import moment
from payops.reconcile.totals import ClassTotal, Totals

_ASKED_BY_ID = frozenset({MatchClass.MISSING_IN_LEDGER, MatchClass.MISSING_IN_STRIPE})


@dataclass(frozen=True)
class Told:
    """What is judged: these classes, what each comes to, when its oldest was created (microseconds
    since 1970), and what became of asking by id."""

    classes: tuple[MatchClass, ...]
    totals: Totals
    oldest: Mapping[MatchClass, int]
    confirmed: Confirmed


def judge(compared: Compared, told: Told, limits: Mapping[str, Limits]) -> tuple[CheckResult, ...]:
    """A check for each class, under the limits of its id."""
    return tuple(_check(compared, told, each, limits[id_of(each)]) for each in told.classes)


def _check(compared: Compared, told: Told, each: MatchClass, limits: Limits) -> CheckResult:
    total = told.totals.payments[each]
    measured: dict[str, Scalar] = {
        "count": total.count,
        "money": max(total.minor.values(), default=0),
    }
    if each not in HARMLESS:
        measured["critical"] = total.critical
    return CheckResult(
        status=_status(measured, limits),
        summary=_summary(each, total, told.totals),
        source=compared.source,
        as_of=compared.now,
        since=_since(each, total, told.oldest),
        measured=measured,
        limits=limits,
        actions=_actions(compared, each) if total.count and each not in HARMLESS else (),
        money_at_risk=() if each in HARMLESS else _at_risk(total),
        evidence=_evidence(compared, told, each),
        id=id_of(each),
        title=TITLES[each],
        duration_ms=compared.duration_ms,
    )


def _status(measured: Mapping[str, Scalar], limits: Limits) -> Status:
    judged = [
        limit.judge(value)
        for name, limit in limits.items()
        if isinstance(value := measured[name], int | float)
    ]
    return worst(judged) if judged else Status.OK


def _since(
    each: MatchClass, total: ClassTotal, oldest: Mapping[MatchClass, int]
) -> datetime | None:
    return moment(oldest.get(each)) if total.count and each not in HARMLESS else None


def _at_risk(total: ClassTotal) -> tuple[MoneyAtRisk, ...]:
    return tuple(
        MoneyAtRisk(currency, minor, total.counts.get(currency, 0))
        for currency, minor in total.minor.items()
        if currency and minor
    )


def _actions(compared: Compared, each: MatchClass) -> tuple[Action, ...]:
    command = f"{compared.options.command} --only {each.value}"
    fixes = any(
        fix.when.match_class == each.value
        for ledger in compared.ledgers.values()
        for fix in ledger.fixes
    )
    if not fixes:
        return (Action("See each of them", command),)
    what = "Plan the change, look at it (payops apply plan.json --show), apply it"
    return (Action(what, f"{command} --save-plan plan.json"),)


def _summary(each: MatchClass, total: ClassTotal, totals: Totals) -> str:
    sums = ", ".join(str(Money(c, minor)) for c, minor in total.minor.items() if c and minor)
    text = f"{total.count:,} {TITLES[each]}"
    if sums and total.count:
        text += f": {sums}" + ("" if each in HARMLESS else " at risk")
    if each is MatchClass.MATCHED and totals.cut_cents:
        text += f"; {totals.cut_cents:,} with cents cut, a known quirk"
    return text


def _evidence(compared: Compared, told: Told, each: MatchClass) -> tuple[Evidence, ...]:
    notes: list[Evidence] = []
    confirmed, totals = told.confirmed, told.totals
    if each in _ASKED_BY_ID and totals.payments[each].count and confirmed.unconfirmed:
        what = "not asked for by id: " + "; ".join(confirmed.reasons)
        detail: dict[str, Scalar] = {"unconfirmed": confirmed.unconfirmed}
        notes.append(Evidence(what, "+".join(compared.places), compared.now, detail))
    if each is MatchClass.MATCHED and totals.cut_cents:
        what = "one minor unit less at Stripe: cents cut by floating point (truncated_cents)"
        detail = {"count": totals.cut_cents}
        notes.append(Evidence(what, compared.places[1], compared.now, detail))
    return tuple(notes)
