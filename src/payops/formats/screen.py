"""A watch on a terminal: one page of it, never longer nor wider than the terminal.

From above: what it comes to and when the next round is; a few numbers over the session; the
checks, the worst first, each with the time of what it says; what changed since the watch began.
What has no room is counted, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from payops.domain.duration import ago, human_duration
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.session import Session
from payops.domain.text import shortened
from payops.formats.safe import Page
from payops.formats.table import STYLES
from payops.formats.watched import curve_text, number_text
from payops.formats.words import (
    by_cause,
    counts,
    is_finding,
    money_text,
    taken,
    title_of,
    worst_first,
)

_BADGE = 9
_CLOCK = 9  # 22:31:04Z
_WIDEST_ID = 26
_MOST_EVENTS = 6
_FEWEST_CHECKS = 6


def screen(session: Session, page: Page, height: int, waits: float | None) -> list[Text]:
    """The lines of the page; `waits` seconds until the next round, None while one is asked."""
    last = session.last
    lines = [Text(" asking")] if last is None else _page(session, last, page, height, waits)
    for each in lines:
        each.truncate(page.width, overflow="crop" if page.ascii_only else "ellipsis")
    return lines[:height]


def _page(
    session: Session, last: Report, page: Page, height: int, waits: float | None
) -> list[Text]:
    head = [*_head(session, last, page, waits), Text()]
    curves = list(_curves(session, page))
    if curves:
        curves.append(Text())
    events = list(_events(session, page))
    foot = [Text(" ^C ends, with a summary to paste", style="dim")]
    room = height - len(head) - len(foot)
    findings = sum(map(is_finding, last.checks))
    if room < len(curves) + min(findings + 1, _FEWEST_CHECKS) + 2:
        curves = []  # a very low terminal: the checks come first
    room -= len(curves) + 1
    kept = min(len(events), _MOST_EVENTS + 1, max(room - 7, 2))
    checks = _checks(last, page, max(room - kept, 1))
    below = [Text(), *events[: max(room - len(checks), 0)]]
    filler = [Text()] * max(room + 1 - len(checks) - len(below), 0)
    return [*head, *curves, *checks, *below, *filler, *foot]


def _head(session: Session, last: Report, page: Page, waits: float | None) -> Iterator[Text]:
    badge = Text().append(f" {last.status.value:<{_BADGE - 1}}", style=STYLES[last.status])
    title = f" payops {last.command} {_dot(page)} {last.environment or '-'} {_dot(page)} "
    seen = last.generated_at
    when = f"{_clock(seen)} ({ago(seen, page.now)})"
    following = "asking now" if waits is None else f"next in {round(max(waits, 0))} s"
    yield badge + Text(title + when, style="bold") + Text(f" {_dot(page)} {following}", style="dim")
    since = f"round {session.rounds} since {_clock(session.began)}"
    parts = (counts(last), taken(last.duration_ms), since)
    yield Text(" " * (_BADGE + 1) + f" {_dot(page)} ".join(parts))


def _curves(session: Session, page: Page) -> Iterator[Text]:
    known = [curve for curve in session.curves if curve.known]
    title = max((len(curve.title) for curve in known), default=0)
    for curve in known:
        number = number_text(curve.points[-1], curve.unit)
        start = f" {curve.title:<{title}} {number:>9}  "
        end = f"  worst {number_text(curve.worst, curve.unit)}"
        bars = curve_text(curve, page.width - len(start) - len(end), ascii_only=page.ascii_only)
        yield Text(f"{start}{bars}{end}")


def _checks(last: Report, page: Page, room: int) -> list[Text]:
    """A line a check, two a finding where there is room; those left out are counted."""
    ordered = by_cause(worst_first(last.checks))
    findings = sum(map(is_finding, ordered))
    width = min(_WIDEST_ID, max((len(title_of(check)) for check in ordered), default=0))
    doubled = len(ordered) + findings <= room or 2 * findings + 1 <= room
    lines: list[Text] = []
    for number, check in enumerate(ordered):
        rows = list(_check(check, width, page, doubled=doubled and is_finding(check)))
        rest = len(ordered) - number
        if len(lines) + len(rows) > room - (rest > 1) and rest > 0:
            lines.append(_left_out(ordered[number:], page))
            break
        lines += rows
    return lines


def _left_out(checks: list[CheckResult], page: Page) -> Text:
    words = [check.status.value for check in checks]
    tally = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return Text(f"{' ' * (_BADGE + 1)}{_more(page)} and {tally}", style="dim")


def _check(check: CheckResult, width: int, page: Page, *, doubled: bool) -> Iterator[Text]:
    first = Text().append(f" {check.status.value:<{_BADGE - 1}}", style=STYLES[check.status])
    seen = _clock(check.as_of) if check.as_of else "-"
    mark = " (advisory)" if check.advisory and is_finding(check) else ""
    first.append(f" {shortened(title_of(check), width):<{width}} ")
    first.append(f"{seen:<{_CLOCK}} ", style="dim")
    yield first + Text(" ".join(check.summary.split()) + mark)
    if not doubled:
        return
    following = next((one.command or one.text for one in check.actions), "")
    parts = (
        f"since {_clock(check.since)} ({ago(check.since, page.now)})" if check.since else "",
        f"at risk {money_text(check)}" if check.money_at_risk else "",
        following,
    )
    if any(parts):
        yield Text(" " * (_BADGE + 1) + f" {_dot(page)} ".join(filter(None, parts)), style="dim")


def _events(session: Session, page: Page) -> Iterator[Text]:
    last = session.last
    lasted = (last.generated_at - session.began).total_seconds() if last else 0.0
    number = len(session.events)
    what = f"{number} change{'s' if number != 1 else ''}" if number else "nothing changed"
    yield Text(f" Since {_clock(session.began)} ({human_duration(lasted)}): {what}", style="bold")
    arrow = "->" if page.ascii_only else "→"
    for event in reversed(session.events):
        before = event.before.value if event.before else "-"
        text = Text(f" {_clock(event.at)} {event.id} {before} {arrow} ")
        text.append(event.after.value, style=STYLES[event.after])
        yield text + Text(f"  {' '.join(event.summary.split())}")


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}Z"


def _dot(page: Page) -> str:
    return "-" if page.ascii_only else "·"


def _more(page: Page) -> str:
    return "..." if page.ascii_only else "…"
