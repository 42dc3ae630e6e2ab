"""Order and wording that the outputs for people share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from payops.domain.duration import ago, human_duration, utc_text
from payops.domain.evidence import Evidence, Scalar
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status

_STALE_S = 60  # evidence older than this is shown with its age: never a stale value as truth


def is_finding(check: CheckResult) -> bool:
    """Whether a check needs eyes: CRIT, UNKNOWN or WARN."""
    return check.status not in {Status.OK, Status.SKIP}


def worst_first(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """Findings that count, advisory findings, OK, SKIP; the worst first, else as declared."""
    return sorted(
        checks, key=lambda check: (not is_finding(check), _is_side(check), -check.status.rank)
    )


# More than a terminal's height: then what is well is told by family, and what is not stands out.
_MANY = 20


def folded(ordered: Sequence[CheckResult]) -> list[CheckResult]:
    """Findings of one cause as the first of them; and, of many checks, those that are well, or not
    used here, as one for each family and status.
    """
    if len(ordered) <= _MANY:
        return by_cause(ordered)
    groups: dict[tuple[Status, str], list[CheckResult]] = {}
    for check in ordered:
        family = title_of(check).partition(".")[0]
        groups.setdefault((check.status, family), []).append(check)
    kept = by_cause([check for check in ordered if is_finding(check)])
    for (_, family), members in groups.items():
        if is_finding(members[0]):
            continue
        kept += members if len(members) == 1 else [_family(family, members)]
    return kept


def by_cause(checks: Sequence[CheckResult], *, named: bool = True) -> list[CheckResult]:
    """Of those with one and the same cause the first, which tells of the others (`named`: by their
    names); all else as it is.

    A database that is down is one trouble, not thirty: what else is wrong must be seen.
    """
    told: dict[tuple[Status, bool, str] | int, list[CheckResult]] = {}
    for number, check in enumerate(checks):
        key = (check.status, check.advisory, check.cause) if check.cause else number
        told.setdefault(key, []).append(check)
    kept = []
    for first, *others in told.values():
        names = f": {', '.join(map(title_of, others))}" if named else ""
        more = f"; {len(others)} more say the same{names}" if others else ""
        kept.append(replace(first, summary=first.summary + more))
    return kept


def _family(family: str, members: Sequence[CheckResult]) -> CheckResult:
    names = ", ".join(title_of(check).partition(".")[2] for check in members)
    reasons = {check.summary for check in members}
    why = f": {reasons.pop()}" if len(reasons) == 1 else ""
    return CheckResult(members[0].status, f"{len(members)}{why}: {names}", id=family)


def _is_side(check: CheckResult) -> bool:
    return is_finding(check) and check.advisory


def counts(report: Report) -> str:
    """`10 checks: 2 CRIT, 1 WARN, 6 OK, 1 SKIP`, worst first, empty ones left out.

    Advisory findings are counted as such, since they do not change the status.
    """
    tally = Counter(check.status for check in report.checks if not _is_side(check))
    ranked = sorted(tally, key=lambda status: -status.rank)
    parts = [f"{tally[status]} {status.value}" for status in ranked]
    if side := sum(map(_is_side, report.checks)):
        parts.append(f"{side} advisory")
    return ": ".join(filter(None, (counted(len(report.checks), "check"), ", ".join(parts))))


def cost(report: Report) -> str:
    """`4 Stripe calls, 1.2 s`."""
    return f"{counted(report.stripe_calls, 'Stripe call')}, {taken(report.duration_ms)}"


def taken(duration_ms: int) -> str:
    """A run's wall time: `840 ms`, `1.2 s`, `3 min`."""
    seconds = duration_ms / 1000
    return f"{seconds:.1f} s" if 1 <= seconds < 60 else human_duration(seconds)


def counted(number: int, thing: str) -> str:
    """`1 check`, `2 checks`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def readable_utc(moment: datetime) -> str:
    """`2026-02-11 09:30:00 UTC`."""
    return utc_text(moment).replace("T", " ").replace("Z", " UTC")


def since_text(since: datetime, now: datetime) -> str:
    """`2026-02-11 09:18:00 UTC (12 min ago)`."""
    return f"{readable_utc(since)} ({ago(since, now)})"


def money_text(check: CheckResult) -> str:
    """`1,234.50 USD (3), 5,000 JPY (1)`: the sum and, in brackets, how many payments."""
    return ", ".join(str(money) for money in check.money_at_risk)


def seen_text(evidence: Evidence, report: Report) -> str:
    """`redis 09:29:58Z`: where and when; the date when it was another day, the age when stale."""
    moment = utc_text(evidence.as_of)
    today = utc_text(report.generated_at)[:11]
    text = f"{evidence.source} {moment.removeprefix(today)}".strip()
    if (report.generated_at - evidence.as_of).total_seconds() > _STALE_S:
        text += f" ({ago(evidence.as_of, report.generated_at)})"
    return text


def detail_text(detail: Mapping[str, Scalar]) -> str:
    """`state=open failures=7`; a value with a space in it is quoted."""
    return " ".join(f"{name}={_value(value)}" for name, value in detail.items())


def _value(value: Scalar) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if " " in text or not text else text


def title_of(check: CheckResult) -> str:
    """The check's id, or what there is when it has none."""
    return check.id or check.title or "(no id)"


def verdict(report: Report) -> str:
    """One line: what it comes to, and where to begin."""
    ordered = worst_first(report.checks)
    status = report.status.value
    if not report.checks:
        return f"{status}: no check was selected"
    if all(check.status is Status.SKIP for check in report.checks):
        return f"{status}: nothing ran, every check was skipped"
    first = ordered[0]
    if report.status is Status.OK:
        return f"{status}: nothing to do" + (", but see the advice" if is_finding(first) else "")
    return f"{status}: begin with {title_of(first)}"
