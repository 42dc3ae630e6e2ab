"""A watch in lines: a change each for a pipe, and at the end a summary for the ticket."""

from __future__ import annotations

import json
from collections.abc import Iterator

from payops.domain.duration import human_duration, utc_text
from payops.domain.result import CheckResult
from payops.domain.session import Curve, Event, Session
from payops.domain.sparkline import sparkline
from payops.domain.text import shortened
from payops.formats.words import (
    by_cause,
    counts,
    is_finding,
    money_text,
    readable_utc,
    title_of,
    worst_first,
)

_WIDEST_CURVE = 60
_MOST_LISTED = 40


def opening(session: Session) -> str:
    """The first line: how it was when the watch began."""
    if session.last is None:
        return ""
    at = utc_text(session.last.generated_at)
    return f"{at}  {session.last.status.value:<7}  {counts(session.last)}\n"


def line(event: Event) -> str:
    """One change: time, status, check, what it was before and what is seen."""
    was = f" (was {event.before.value})" if event.before else ""
    summary = " ".join(event.summary.split())
    return f"{utc_text(event.at)}  {event.after.value:<7}  {event.id}{was}: {summary}\n"


def json_line(event: Event) -> str:
    """The same as an object on a line of its own."""
    told = {
        "at": utc_text(event.at),
        "check": event.id,
        "before": event.before.value if event.before else None,
        "after": event.after.value,
        "summary": event.summary,
    }
    return json.dumps(told) + "\n"


def summary(session: Session, *, ascii_only: bool) -> str:
    """What was seen from beginning to end, to be pasted into the ticket; empty when nothing was."""
    if session.last is None:
        return ""
    text = "\n".join(_summary(session, ascii_only)) + "\n"
    return text.encode("ascii", "backslashreplace").decode() if ascii_only else text


def curve_text(curve: Curve, width: int, *, ascii_only: bool) -> str:
    """The last points that fit into `width` columns, as small bars."""
    points, most = curve.scaled()
    return sparkline(points[-width:], most, ascii_only=ascii_only) if width > 0 else ""


def number_text(value: float | None, unit: str) -> str:
    """`98.2 %`, `212 ms`, `-`."""
    if value is None:
        return "-"
    return f"{value:.1f} %" if unit == "%" else f"{value:,.0f} {unit}"


def _summary(session: Session, ascii_only: bool) -> Iterator[str]:
    last = session.last
    assert last is not None  # noqa: S101  asked before
    lasted = human_duration((last.generated_at - session.began).total_seconds())
    rounds = f"{session.rounds} round{'s' if session.rounds != 1 else ''}"
    yield (
        f"payops {last.command}, {last.environment or '-'}: {readable_utc(session.began)} to "
        f"{readable_utc(last.generated_at)} ({lasted}, {rounds})"
    )
    spent = [
        f"{status.value} for {human_duration(session.spent[status])}"
        for status in sorted(session.spent, key=lambda status: -status.rank)
    ]
    yield f"{', '.join([*spent, f'{last.status.value} at the end'])}; {counts(last)}"
    for curve in session.curves:
        if curve.known:
            first, end = curve.known[0], curve.points[-1]
            numbers = ", ".join(
                f"{number_text(value, curve.unit)} {word}"
                for value, word in ((first, "first"), (curve.worst, "worst"), (end, "last"))
            )
            yield f"{curve.title}: {numbers}"
            yield f"  {curve_text(curve, _WIDEST_CURVE, ascii_only=ascii_only)}".rstrip()
    yield "Changes:" if session.events else "Nothing changed."
    for event in session.events[-_MOST_LISTED:]:
        yield f"  {line(event).rstrip()}"
    if len(session.events) > _MOST_LISTED:
        yield f"  (the last {_MOST_LISTED} of {len(session.events)})"
    findings = by_cause([check for check in worst_first(last.checks) if is_finding(check)])
    if findings:
        yield "At the end:"
    for check in findings:
        yield from _finding(check)


def _finding(check: CheckResult) -> Iterator[str]:
    yield f"  {check.status.value:<7}  {title_of(check)}: {' '.join(check.summary.split())}"
    if check.money_at_risk:
        yield f"           at risk {money_text(check)}"
    following = next((one.command or one.text for one in check.actions), "")
    if following:
        yield f"           next: {shortened(following, 400)}"
