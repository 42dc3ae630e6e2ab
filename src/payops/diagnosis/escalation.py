"""How severe an incident is and who is to know, by the rules of the runbooks.

The runbooks' levels: 1 the engineer on call, 2 a backend engineer, 3 a payment specialist and
Stripe's support, 4 legal and management. Whom that is says the configuration (`escalation:`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from payops.diagnosis.rank import Verdict
from payops.domain.duration import human_duration
from payops.domain.impact import Escalation, Impact, Level, Reason, Surroundings
from payops.domain.money import Money
from payops.domain.status import Status
from payops.domain.symptom import Signal

# Within what time somebody is at work on it; P4 is the next business day.
_ANSWER = {"P1": (15 * 60, "S0-66"), "P2": (3600, "S0-67"), "P3": (4 * 3600, "S0-68")}
# Where the configuration names no times: after how many minutes which level is due.
_BY_TIME = ((30, 3), (10, 2))  # S2-45
_FAILING = ("payments.failure-rate", "payments.success-rate")
_FAILING_S = 30 * 60  # S4-37
_OUTAGE_S = 3600  # S4-37
_RATE = 10  # %, S4-33
_NUMBERED = re.compile(r"(?:l|level|tier)\s*([1-9])", flags=re.IGNORECASE)


def escalation_of(
    impact: Impact,
    verdict: Verdict,
    signals: Mapping[str, Signal],
    around: Surroundings,
    now: datetime,
) -> Escalation:
    """Severity, level and whom to call. Nothing where nothing is wrong."""
    if not verdict.causes and not verdict.abnormal and not impact.payments:
        return Escalation()
    lasted = (now - impact.since).total_seconds() if impact.since else 0.0
    severity, why = _severity(verdict, signals, lasted)
    raised = _raised(impact, signals, around, now) if severity in ("P1", "P2") else []
    by_time, timed = _by_time(severity, lasted, around.levels)
    level = max([by_time, *(one.level for one in raised)])
    answer, row = _ANSWER.get(severity, (None, "S0-68"))
    if answer is not None:
        why.append(Reason(f"be at work on it within {human_duration(answer)}", row))
    else:
        why.append(Reason("it can wait until the next business day", row))
    due, following = _whom(around.levels, level, lasted)
    begun = impact.since or now
    return Escalation(
        severity=severity,
        level=level,
        reasons=(*why, *timed, *raised),
        answer_s=answer,
        now=due,
        next=following,
        next_at=begun + timedelta(seconds=following.after_s) if following else None,
    )


def _severity(
    verdict: Verdict, signals: Mapping[str, Signal], lasted: float
) -> tuple[str, list[Reason]]:
    """P1 to P4 by the causes' runbooks, raised by how payments fare."""
    severities = [(one.suspect.severity or "P3", one.scenario) for one in verdict.causes]
    if severities:
        severity, scenario = min(severities)
        why = [Reason(f"by the runbook of {scenario}", "")]
    elif _fails(signals):
        severity, why = "P2", [Reason("payments fail, and no runbook says why", "S0-67")]
    elif any(one.status is Status.CRIT for one in verdict.abnormal):
        severity, why = "P2", [Reason("something is critical, and no runbook says why", "S0-67")]
    else:
        severity, why = "P3", [Reason("no payment fails", "S0-68")]
    failed = signals.get(_FAILING[0])
    rate = failed.measured.get("rate") if failed and failed.status is Status.CRIT else None
    if severity > "P2" and isinstance(rate, int | float) and rate > _RATE:
        severity = "P2"
        why.append(
            Reason(f"{rate:g} % of payments fail by our fault, more than {_RATE} %", "S4-33")
        )
    if severity > "P1" and _outage(signals) and lasted > _OUTAGE_S:
        severity = "P1"
        why.append(Reason("no payment succeeds, for more than an hour", "S4-37"))
    return severity, why


def _raised(
    impact: Impact, signals: Mapping[str, Signal], around: Surroundings, now: datetime
) -> list[Reason]:
    """What calls for a higher level, whatever the time."""
    found = []
    for one in impact.money:
        limit = around.escalate_over.get(one.currency)
        if limit is not None and one.minor > limit:
            sums = f"{Money(one.currency, one.minor)} affected, more than "
            found.append(Reason(f"{sums}{Money(one.currency, limit)}", "S2-43", 4))
    lost = signals.get("reconcile.missing_in_ledger")
    if lost is not None and lost.abnormal and lost.answered:
        found.append(Reason("charged and not recorded", "S4-37", 3))
    begun = [signals[id_].since for id_ in _FAILING if id_ in signals and signals[id_].abnormal]
    failing = max(((now - one).total_seconds() for one in begun if one), default=0.0)
    if _outage(signals) and failing > _OUTAGE_S:
        why = "nothing succeeds for more than an hour: a commander, and a case at Stripe"
        found.append(Reason(why, "S4-37", 3))
    elif failing > _FAILING_S:
        found.append(Reason("payments fail for more than 30 min", "S4-37", 2))
    return found


def _by_time(severity: str, lasted: float, levels: Sequence[Level]) -> tuple[int, list[Reason]]:
    """The level that is due by how long it lasts: by the configuration, else by the runbook."""
    ordered = _ordered(levels)
    if ordered:
        due = [number_of(ordered, n) for n, one in enumerate(ordered) if one.after_s <= lasted]
        level = max(due, default=1)
        return level, [Reason("it is due by the configuration (escalation:)", "", level)]
    if severity in ("P1", "P2"):
        for minutes, level in _BY_TIME:
            if lasted >= minutes * 60:
                return level, [Reason(f"it lasts for more than {minutes} min", "S2-45", level)]
    return 1, []


def _fails(signals: Mapping[str, Signal]) -> bool:
    return any(
        id_ in signals and signals[id_].abnormal and not signals[id_].silent for id_ in _FAILING
    )


def _outage(signals: Mapping[str, Signal]) -> bool:
    """Whether no payment at all succeeds."""
    one = signals.get("payments.success-rate")
    return one is not None and one.status is Status.CRIT and one.measured.get("paid") == 0


def number_of(ordered: Sequence[Level], place: int) -> int:
    """The runbooks' number of a configured level: in its name (`L2`), else by its place."""
    named = _NUMBERED.fullmatch(ordered[place].level.strip())
    return int(named[1]) if named else place + 1


def _ordered(levels: Sequence[Level]) -> list[Level]:
    return sorted(levels, key=lambda one: one.after_s)


def _whom(
    levels: Sequence[Level], level: int, lasted: float
) -> tuple[tuple[Level, ...], Level | None]:
    """Who is to be called by now (of a level or of its time), and the next by time."""
    ordered = _ordered(levels)
    highest = [number_of(ordered, place) for place in range(len(ordered))]
    due = [
        one
        for one, number in zip(ordered, highest, strict=True)
        if one.after_s <= lasted or number <= level
    ]
    if not due and ordered:
        due = ordered[:1]
    following = next((one for one in ordered if one not in due), None)
    return tuple(due), following
