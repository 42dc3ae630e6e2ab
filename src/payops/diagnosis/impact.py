"""What an incident does, from what the checks of one look said: no payment is counted twice.

A row on which both sides disagree is in exactly one class of `reconcile`, so its classes add up.
Payments that failed by our fault, and those that are stuck, are counted beside them as far as
`reconcile` does not know them. What else tells of payments (webhooks that were lost, orders paid
twice, rows without a reference) tells of the same ones: it counts where `reconcile` gave no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from payops.diagnosis.rank import Hypothesis, Verdict
from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.impact import Affected, Failing, Impact, Surroundings, Trend
from payops.domain.money import MoneyAtRisk
from payops.domain.symptom import Signal

FAILED, STUCK = "payments.failure-rate", "payments.stuck-pending"
STUCK_S = 1800  # S2-07: pending for longer is stuck, and so in the check's count
QUIET = timedelta(minutes=10)
_DAY = timedelta(days=1)
_CLASSES = {f"reconcile.{one.value}": one for one in MatchClass if one not in HARMLESS}
_MATCHED = f"reconcile.{MatchClass.MATCHED.value}"

_WORDS = {
    MatchClass.MISSING_IN_LEDGER: "charged and not recorded",
    MatchClass.MISSING_IN_STRIPE: "recorded and unknown to Stripe",
    MatchClass.NO_REFERENCE: "recorded without a reference to Stripe",
    MatchClass.STATUS_MISMATCH: "with different states",
    MatchClass.AMOUNT_MISMATCH: "with different amounts",
    MatchClass.CURRENCY_MISMATCH: "in different currencies",
    MatchClass.FEE_MISMATCH: "with different fees",
    MatchClass.REFUND_MISSING: "refunded on one side only",
    MatchClass.REFUND_PARTIAL_MISMATCH: "refunded different amounts",
    MatchClass.DISPUTE_UNRECORDED: "disputed and not recorded so",
    MatchClass.PARTIAL_CAPTURE: "captured in part",
    MatchClass.DUPLICATE_IN_LEDGER: "recorded twice",
    MatchClass.DUPLICATE_CHARGE: "charged twice",
    MatchClass.LIVEMODE_OR_ACCOUNT_MISMATCH: "of another mode or account",
    MatchClass.UNEXPECTED_STATUS: "of a status that is not mapped",
}

# Payments that neither failed nor differ: each of these is a trouble of its own kind.
_BESIDE = {
    "payments.requires-action": "wait for the customer's bank",
    "payments.captures": "authorized, and running out",
    "payments.disputes": "disputed",
    "payments.fraud-warnings": "reported as fraud",
}
# What tells of payments that reconcile has when it can be asked, the best first.
_INSTEAD = ("payments.duplicates", "payments.no-reference")
_STANDS = ("stripe.", "postgres.", "redis.", "circuit", "app.", "keys.", "queue.", "webhooks.")


@dataclass(frozen=True)
class Compared:
    """What `reconcile` found: its discrepancies as they stand in JSON, and how many more it has."""

    discrepancies: Sequence[Mapping[str, Any]] = ()
    left_out: int = 0


@dataclass
class _Counting:
    """The parts of one impact, as they are found."""

    signals: Mapping[str, Signal]
    compared: Compared
    around: Surroundings
    named: frozenset[str] | None
    parts: list[Affected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, part: Affected) -> None:
        if part.payments > 0:
            self.parts.append(part)

    def counts(self, id_: str) -> bool:
        """Whether a check's payments are of this incident: it is in trouble, or a cause has it
        among its symptoms (two failures of a hundred are no alarm, but they are lost). Without a
        verdict (`named` is None) all are counted."""
        one = self.signals.get(id_)
        if one is None or not one.answered:
            return False
        return self.named is None or (not one.advisory and (one.abnormal or id_ in self.named))


def impact_of(
    signals: Mapping[str, Signal],
    compared: Compared,
    around: Surroundings,
    verdict: Verdict | None = None,
    as_of: datetime | None = None,
) -> Impact:
    """The impact of what a look found; `verdict` says which signals are the causes' own. Without
    one all payments count that failed or differ, also those that are no alarm."""
    named = _named(verdict, signals)
    counting = _Counting(signals, compared, around, named)
    could_compare = _compare(counting)
    _failures(counting)
    _stuck(counting)
    for id_, what in _BESIDE.items():
        if counting.counts(id_):
            counting.add(_part(signals[id_], what))
    _outside(counting)
    if not could_compare:
        _instead(counting)
    parts = tuple(counting.parts)
    since = since_of(verdict, signals, parts, as_of)
    moments = [_moment(one["created"]) for one in compared.discrepancies if one.get("created")]
    return Impact(
        payments=sum(part.payments for part in parts),
        money=added(money for part in parts for money in part.money),
        # Nobody, though payments are affected: those have no row that says whose they are.
        customers=(around.failing.customers or None) if around.failing and parts else None,
        since=since,
        trend=_trend(around.failing, moments, verdict, since, as_of) if parts else None,
        parts=parts,
        notes=tuple(counting.notes),
        known=could_compare or _answers(signals, FAILED),
    )


def _answers(signals: Mapping[str, Signal], id_: str) -> bool:
    one = signals.get(id_)
    return one is not None and one.answered and not one.silent


def since_of(
    verdict: Verdict | None,
    signals: Mapping[str, Signal],
    parts: Iterable[Affected] = (),
    as_of: datetime | None = None,
) -> datetime | None:
    """When the first sign was: of what the causes are known by and what else of the last day they
    explain, else of what is abnormal or affected.

    What is older than a day is seldom of this incident: a payment that was stuck last week.
    """
    causes = verdict.causes if verdict else ()
    known_by = {ground.check for one in causes for ground in one.for_}
    explained = {id_ for one in causes for id_ in one.explains} - known_by
    abnormal = {one.check for one in verdict.abnormal} if verdict else set()
    recent = as_of - _DAY if as_of else None
    begun = [*_begun(known_by, signals), *_begun(explained, signals, recent)]
    begun = begun or _begun(explained | abnormal, signals)
    return min(begun or [part.since for part in parts if part.since], default=None)


def _begun(
    ids: Iterable[str], signals: Mapping[str, Signal], recent: datetime | None = None
) -> list[datetime]:
    """When the trouble of these checks began, of those that began since `recent`."""
    found = (signals[id_] for id_ in ids if id_ in signals and signals[id_].abnormal)
    return [one.since for one in found if one.since and (recent is None or one.since >= recent)]


def added(money: Iterable[MoneyAtRisk]) -> tuple[MoneyAtRisk, ...]:
    """Summed by currency, most payments first."""
    sums: dict[str, tuple[int, int]] = {}
    for one in money:
        minor, count = sums.get(one.currency, (0, 0))
        sums[one.currency] = (minor + one.minor, count + one.count)
    found = (MoneyAtRisk(currency, *amount) for currency, amount in sums.items())
    return tuple(sorted(found, key=lambda one: (-one.count, one.currency)))


def less(money: Iterable[MoneyAtRisk], known: Iterable[MoneyAtRisk]) -> tuple[MoneyAtRisk, ...]:
    """What is left by currency when the known is taken away; never less than nothing."""
    off = {one.currency: one for one in added(known)}
    left = []
    for one in money:
        taken = off.get(one.currency)
        if taken is None:
            left.append(one)
        elif one.count > taken.count:
            minor = max(0, one.minor - taken.minor)
            left.append(MoneyAtRisk(one.currency, minor, one.count - taken.count))
    return tuple(left)


def _named(verdict: Verdict | None, signals: Mapping[str, Signal]) -> frozenset[str] | None:
    """The checks that the causes' runbooks name as their symptoms."""
    if verdict is None:
        return None
    causes = verdict.causes
    symptoms = [
        symptom
        for one in causes
        for symptom in (*one.suspect.symptoms.confirm, *one.suspect.symptoms.neutral)
        if symptom.check != "*"
    ]
    return frozenset(id_ for id_ in signals if any(one.names(id_) for one in symptoms))


def _compare(counting: _Counting) -> bool:
    """The classes of the comparison; whether there was one."""
    there = counting.signals.get(_MATCHED)
    if there is None or not there.answered:
        return False
    for id_, one in counting.signals.items():
        if id_ in _CLASSES and counting.counts(id_):
            counting.add(_part(one, _WORDS[_CLASSES[id_]]))
    return True


def _failures(counting: _Counting) -> None:
    one = counting.signals.get(FAILED)
    if one is None or not counting.counts(FAILED):
        return
    known = _known(counting, counting.around.failed_words)
    counting.add(
        Affected(
            "failed by our fault",
            FAILED,
            _number(one, "failed") - len(known),
            less(one.money, _money_of(known)),
            one.since,
        )
    )


def _stuck(counting: _Counting) -> None:
    one = counting.signals.get(STUCK)
    if one is None or not counting.counts(STUCK):
        return
    known = [
        each
        for each in _known(counting, counting.around.open_words)
        if float(each.get("age_s") or 0) >= STUCK_S
    ]
    count, money = len(known), _money_of(known)
    mismatch = counting.signals.get(f"reconcile.{MatchClass.STATUS_MISMATCH.value}")
    if counting.compared.left_out and mismatch is not None:
        # Not all are listed: those on which the states differ are taken to be the stuck ones.
        count = max(count, _number(mismatch, "count"))
        money = mismatch.money if count > len(known) else money
    counting.add(
        Affected(
            "stuck",
            STUCK,
            _number(one, "count") - count,
            less(one.money, money),
            one.since,
        )
    )


def _outside(counting: _Counting) -> None:
    """Outside processors: their checks look at the same transactions, so the one with most."""
    found = [
        _part(one, "of outside processors")
        for id_, one in counting.signals.items()
        if id_.startswith("external.") and one.money and counting.counts(id_)
    ]
    if found:
        counting.add(max(found, key=lambda part: (part.payments, part.check)))


def _instead(counting: _Counting) -> None:
    """Where both sides were not compared: what else knows of the same payments."""
    lost = [
        _part(one, "not told by a webhook")
        for id_, one in counting.signals.items()
        if id_.startswith("webhooks.") and one.money and counting.counts(id_)
    ]
    if lost:
        counting.add(max(lost, key=lambda part: (part.payments, part.check)))
    else:
        for id_ in _INSTEAD:
            if counting.counts(id_):
                counting.add(_part(counting.signals[id_], "by the ledger alone"))
                break
    if any(one.abnormal for one in counting.signals.values()):
        counting.notes.append("Stripe and the ledger were not compared: there may be more")


def _part(one: Signal, what: str) -> Affected:
    count = _number(one, "count") or sum(money.count for money in one.money)
    return Affected(what, one.check, count, one.money, one.since)


def _number(one: Signal, name: str) -> int:
    value = one.measured.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _known(counting: _Counting, words: Iterable[str]) -> list[Mapping[str, Any]]:
    """The discrepancies whose row has one of these states."""
    wanted = frozenset(words)
    return [
        each
        for each in counting.compared.discrepancies
        if f"reconcile.{each.get('class')}" in _CLASSES
        and str(each.get("local_status") or "").lower() in wanted
    ]


def _money_of(found: Iterable[Mapping[str, Any]]) -> tuple[MoneyAtRisk, ...]:
    return added(
        MoneyAtRisk(str(money["currency"]), int(money["minor"]), 1)
        for each in found
        if (money := each.get("money"))
    )


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def _trend(
    failing: Failing | None,
    lost: Sequence[datetime],
    verdict: Verdict | None,
    since: datetime | None,
    as_of: datetime | None,
) -> Trend | None:
    """By what went wrong in the later half of the time against the earlier half.

    Counts of a half differ by chance by about the root of their sum: twice that is a difference.
    """
    if since is None or as_of is None or as_of - since < timedelta(minutes=2):
        return None
    middle = failing.middle if failing and failing.middle else since + (as_of - since) / 2
    within = [one for one in lost if since <= one <= as_of]
    earlier = sum(one < middle for one in within) + (failing.earlier if failing else 0)
    later = len(within) - sum(one < middle for one in within) + (failing.later if failing else 0)
    newest = [*within, *([failing.newest] if failing and failing.newest else [])]
    if not newest or earlier + later == 0:
        return None
    quiet = as_of - max(newest) > max(QUIET, (as_of - since) / 4)
    if quiet and not any(map(_stands, verdict.causes if verdict else ())):
        return Trend.OVER
    if abs(later - earlier) <= 2 * (later + earlier) ** 0.5:
        return Trend.STEADY
    return Trend.WORSE if later > earlier else Trend.BETTER


def _stands(cause: Hypothesis) -> bool:
    """Whether something that is so now keeps it going, not what was lost before."""
    return any(id_.startswith(_STANDS) for id_ in cause.decisive)
