"""A diagnosis in words: what its outputs share.

Its sections lie in `Report.extra`, as `engine/diagnosis.py` made them, every string already safe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from payops.domain.duration import ago, human_duration
from payops.domain.evidence import Action
from payops.domain.impact import Escalation, Impact
from payops.domain.money import Money
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.formats.safe import SafeReport
from payops.formats.words import cost, counted, readable_utc, title_of

Section = Mapping[str, Any]

SURE, LIKELY = 0.85, 0.6
_PARTS_SHOWN = 4
_NEEDED = frozenset({"stripe", "payments", "reconcile"})  # without these much may be wrong unseen


@dataclass(frozen=True)
class Told:
    """One diagnosis."""

    report: SafeReport
    impact: Impact
    escalation: Escalation
    causes: Sequence[Section]
    alternatives: Sequence[Section]
    ruled_out: Sequence[Section]
    unexplained: Sequence[Section]
    tells_apart: Sequence[Section]
    not_asked: Sequence[Section]
    next: Sequence[Action]

    @property
    def nothing(self) -> bool:
        """Whether nothing is wrong, as far as could be asked. To count nothing is not to know it:
        an impact that nobody answered for is not none."""
        if self.report.command == "impact" and (not self.impact.known or self.impact.notes):
            return False
        return not self.causes and not self.unexplained and not self.not_asked


def told(report: SafeReport) -> Told:
    """The sections of a report."""
    extra = report.extra
    hypotheses = _sections(extra, "hypotheses")
    return Told(
        report,
        cast(Impact, extra.get("impact", Impact())),
        cast(Escalation, extra.get("escalation", Escalation())),
        [one for one in hypotheses if one["role"] == "cause"],
        [one for one in hypotheses if one["role"] != "cause"],
        _sections(extra, "ruled_out"),
        sorted(
            _sections(extra, "unexplained"), key=lambda one: (-one["status"].rank, one["check"])
        ),
        _sections(extra, "tells_apart"),
        _sections(extra, "not_asked"),
        cast(Sequence[Action], extra.get("next", ())),
    )


def _sections(extra: Mapping[str, object], name: str) -> Sequence[Section]:
    return cast(Sequence[Section], extra.get(name, ()))


def affected_text(impact: Impact) -> str:
    """`37 payments of 21 customers, 1,234.50 USD, 120.00 EUR`."""
    if not impact.payments and not impact.known:
        return "how many payments are affected is not known: the ledger gave no answer"
    if not impact.payments:
        return "no payment is affected so far"
    words = counted(impact.payments, "payment")
    if impact.customers:
        words += f" of {counted(impact.customers, 'customer')}"
    return ", ".join((words, *(str(Money(one.currency, one.minor)) for one in impact.money)))


def parts_text(impact: Impact) -> str:
    """`22 with different states, 10 failed by our fault`, most first."""
    ordered = sorted(impact.parts, key=lambda part: (-part.payments, part.check))
    shown = [f"{part.payments:,} {part.what}" for part in ordered[:_PARTS_SHOWN]]
    more = len(ordered) - _PARTS_SHOWN
    return ", ".join((*shown, *([f"{more} more kinds"] if more > 0 else [])))


def refunds_text(impact: Impact) -> str:
    """`2 refunded 59.98 USD, 1 refunded on one side only 19.99 USD`."""
    parts = [
        ", ".join(
            (f"{one.payments:,} {one.what}", *(str(Money(m.currency, m.minor)) for m in one.money))
        )
        for one in impact.refunds
    ]
    if not parts and not impact.known:
        return "refunds: not known"
    return f"refunds: {'; '.join(parts)}" if parts else "no refund"


def nothing_text(told: Told) -> str:
    """What is told where nothing is wrong."""
    if told.report.command == "impact":
        return f"No payment is affected; {refunds_text(told.impact)}."
    if not any(map(_ran, told.report.checks)):
        return "Nothing was looked at: nothing of it is configured."
    if blind := not_looked_at(told):
        where = " in what was looked at" if _NEEDED & set(blind) else ""
        return f"Nothing is wrong{where}. Not used here: {', '.join(blind)}."
    return "Nothing is wrong."


def not_looked_at(told: Told) -> list[str]:
    """The families of checks of which none ran."""
    ran = {title_of(check).partition(".")[0] for check in told.report.checks if _ran(check)}
    every = {title_of(check).partition(".")[0] for check in told.report.checks} | _NEEDED
    return sorted(every - ran)


def _ran(check: CheckResult) -> bool:
    return check.status is not Status.SKIP


def since_text(told: Told) -> str:
    """`since 2026-02-11 09:18 UTC (12 min ago), getting worse`."""
    impact, now = told.impact, told.report.generated_at
    if impact.since is None:
        return "since when is not known"
    words = f"since {readable_utc(impact.since)} ({ago(impact.since, now)})"
    return f"{words}, {impact.trend.value}" if impact.trend else words


def severity_text(escalation: Escalation) -> str:
    """`P1: by the runbook of stripe-outage; be at work on it within 15 min (S0-66)`."""
    if not escalation.severity:
        return ""
    return f"{escalation.severity}: {_reasons(escalation, 0)}"


def level_text(escalation: Escalation) -> str:
    """`level 3: charged and not recorded (S4-37)`; empty of the first level."""
    if escalation.level < 2:
        return ""
    why = _reasons(escalation, escalation.level)
    return f"level {escalation.level}: {why}" if why else f"level {escalation.level}"


def _reasons(escalation: Escalation, level: int) -> str:
    return "; ".join(
        f"{one.text} ({one.row})" if one.row else one.text
        for one in escalation.reasons
        if one.level == level
    )


def call_text(told: Told) -> str:
    """`call now: L1 #payments-oncall; then L2 +1 555 0100 in 18 min`."""
    escalation = told.escalation
    if not escalation.severity:
        return ""
    if not escalation.now:
        return "whom to call is not configured (escalation:)"
    words = "call now: " + ", ".join(f"{one.level} {one.contact}" for one in escalation.now)
    following = escalation.next
    if following is not None and escalation.next_at is not None:
        left = (escalation.next_at - told.report.generated_at).total_seconds()
        when = f"in {human_duration(left)}" if left >= 1 else "now"
        words += f"; then {following.level} {following.contact} {when}"
    return words


def is_text(cause: Section) -> str:
    """`It is this: …`, `Most likely: …`, `It may be: …`, by how sure it is."""
    confidence = cause["confidence"]
    title = cause["title"]
    if confidence >= SURE:
        return f"It is this: {title}"
    return f"Most likely: {title}" if confidence >= LIKELY else f"It may be this: {title}"


def sure_text(cause: Section) -> str:
    """`circuit-stuck-open, P1, confidence 0.94`."""
    parts = (cause["scenario"], cause["severity"], f"confidence {cause['confidence']:g}")
    return ", ".join(filter(None, parts))


def grounds(cause: Section, side: str, most: int) -> list[tuple[str, str]]:
    """Check and meaning of what speaks for or against, the decisive first; each meaning once."""
    ordered = sorted(cause[side], key=lambda one: not one["decisive"])
    found: dict[str, str] = {}
    for one in ordered:
        found.setdefault(one["says"], one["check"])
    return [(check, says) for says, check in list(found.items())[:most]]


def not_this(told: Told, most: int) -> list[str]:
    """What it is not, and why: what was ruled out, then what else would fit less well."""
    lines = [f"{one['scenario']}: {one['why']}" for one in told.ruled_out if one["why"]]
    for one in told.alternatives:
        if one["follows_from"]:
            lines.append(f"{one['scenario']}: all that speaks for it follows from the above")
        else:
            against = next((each["says"] for each in one["against"]), "")
            lines.append(f"{one['scenario']}: {against or 'it fits less well'}")
    return lines[:most]


def looked_text(told: Told) -> str:
    """`95 questions, 12 not used here, 2 without an answer; 24 Stripe calls, 1.4 s`."""
    checks = told.report.checks
    tally = Counter(check.status for check in checks)
    parts = [counted(len(checks) - tally[Status.SKIP], "question")]
    if tally[Status.SKIP]:
        parts.append(f"{tally[Status.SKIP]} not used here")
    if tally[Status.UNKNOWN]:
        parts.append(f"{tally[Status.UNKNOWN]} without an answer")
    return f"{', '.join(parts)}; {cost(told.report)}"
