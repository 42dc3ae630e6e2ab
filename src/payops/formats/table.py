"""The report on a terminal: calm and dense, the worst first, commands that copy whole.

One headline; a row a check (status, id, summary), of many that are well a row a family; under each
finding since when, the money, at most three pieces of evidence, and what to do. Colour is on the
status words alone and never says what the word does not. There are no boxes, and a command stands
alone on its line, unbroken however narrow the terminal, so that it can be copied with a triple
click.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.formats.discrepancies import left_out, listed
from payops.formats.paper import paper
from payops.formats.plots import plot_lines
from payops.formats.safe import Page, SafeReport
from payops.formats.table_rows import table_lines
from payops.formats.words import (
    cost,
    counts,
    detail_text,
    folded,
    is_finding,
    money_text,
    readable_utc,
    seen_text,
    since_text,
    title_of,
    verdict,
    worst_first,
)

STYLES = {
    Status.CRIT: "bold white on red",
    Status.UNKNOWN: "bold white on magenta",
    Status.WARN: "bold black on yellow",
    Status.OK: "green",
    Status.SKIP: "dim",
}
_BADGE = 9  # " UNKNOWN "
_INDENT = _BADGE + 1
_NARROWEST = 40  # below this a table is not readable: it is laid out for 40 and the terminal wraps
_STACKED = 72  # below this width the summary goes under the id, not beside it
_WIDEST_ID = 28
_EVIDENCE_SHOWN = 3
_EVIDENCE_LENGTH = 240  # characters of one piece of evidence; JSON has all of it
_ASCII = str.maketrans({"→": ">", "·": "-", "…": "..."})


def render(report: SafeReport, page: Page) -> str:
    """The whole text, ending with a newline. No line but a command is wider than the page."""
    console = paper(max(page.width, _NARROWEST), colour=page.colour)
    lines: list[Text] = []
    for line in _lines(report, page, console):
        line.rstrip()
        lines.append(line)
    with console.capture() as capture:
        for line in lines:
            console.print(line, soft_wrap=True)
    text = capture.get()
    return text.translate(_ASCII) if page.ascii_only else text


def _lines(report: SafeReport, page: Page, console: Console) -> Iterator[Text]:
    headline = (f"payops {report.command}", report.environment, readable_utc(report.generated_at))
    for number, line in enumerate(_packed(headline, console)):
        badge = _badge(report.status) if number == 0 else Text(" " * _BADGE)
        yield badge + Text(f" {line}", style="bold")
    for line in _packed((counts(report), cost(report)), console):
        yield Text(" " * _INDENT + line)
    yield Text()
    ordered = folded(worst_first(report.checks))
    id_width = min(_WIDEST_ID, max((len(title_of(check)) for check in ordered), default=0))
    for number, check in enumerate(ordered):
        if number and is_finding(ordered[number - 1]) and not is_finding(check):
            yield Text()
        yield from _row(check, id_width, console)
        if is_finding(check):
            yield from _details(check, report, page, console)
            if number + 1 < len(ordered) and is_finding(ordered[number + 1]):
                yield Text()
    yield from _discrepancies(report, console)
    for plot in report.plots:
        yield Text()
        for number, line in enumerate(plot_lines(plot, console.width, ascii_only=page.ascii_only)):
            yield Text(line, style="" if number else "bold")
    for table in report.tables:
        yield Text()
        yield from table_lines(table, page, console, "bold red")
    if ordered or report.tables:
        yield Text()
    yield from _ending(report, console)


def _badge(status: Status) -> Text:
    # As a span: a Text's own style would colour all that is appended to it.
    return Text().append(f" {status.value:<{_BADGE - 1}}", style=STYLES[status])


def _row(check: CheckResult, id_width: int, console: Console) -> Iterator[Text]:
    style = "bold" if is_finding(check) else "dim" if check.status is Status.SKIP else ""
    name = Text(f" {title_of(check):<{id_width}}", style=style)
    summary = Text(check.summary, style="dim" if check.status is Status.SKIP else "")
    if check.advisory:
        summary.append(" (advisory)" if check.summary else "(advisory)")
    first = _badge(check.status) + name
    room = console.width - first.cell_len - 2
    beside = console.width >= _STACKED or summary.cell_len <= room
    if beside and len(title_of(check)) <= id_width:
        yield from _hung(first + Text("  "), summary, console)
    else:
        yield first
        yield from _hung(Text(" " * _INDENT), summary, console)


def _details(
    check: CheckResult, report: SafeReport, page: Page, console: Console
) -> Iterator[Text]:
    if check.since:
        yield from _labelled("since", since_text(check.since, page.now), console)
    if check.money_at_risk:
        yield from _labelled("money", f"{money_text(check)} at risk", console)
    for evidence in check.evidence[:_EVIDENCE_SHOWN]:
        detail = detail_text(evidence.detail)
        seen = f"{evidence.what}  {detail}" if detail else evidence.what
        cut = shortened(f"{seen_text(evidence, report)}: {seen}", _EVIDENCE_LENGTH)
        yield from _labelled("seen", cut, console)
    more = len(check.evidence) - _EVIDENCE_SHOWN
    if more > 0:
        yield Text(f"{' ' * _INDENT}       … {more} more")
    for action in check.actions:
        if action.text:
            yield from _labelled("→", action.text, console)
        if action.command:
            yield _command(action.command, _INDENT + 2)


def _discrepancies(report: SafeReport, console: Console) -> Iterator[Text]:
    """Each on a few lines: how bad, how much, what; how both sides call it; why."""
    found = list(listed(report))
    money = max((len(each.money) for each in found), default=0)
    for number, each in enumerate(found):
        if not number:
            yield Text()
        style = STYLES.get(Status.__members__.get(each.severity, Status.OK), "")
        first = Text().append(f" {each.severity:<{_BADGE - 1}}", style=style)
        first.append(f" {each.money:>{money}}  ", style="bold")
        yield from _hung(first, Text(f"{each.match_class}, {each.age}: {each.pair}"), console)
        yield from _hung(Text(" " * _INDENT), Text(each.ids), console)
        for label, text in (("why", each.cause), ("quirk", each.quirk), ("maybe", each.candidates)):
            if text:
                yield from _labelled(label, text, console)
        if each.command:
            yield _command(each.command, _INDENT + 2)
    if more := left_out(report):
        told = Text(f"… {more:,} more: --limit, -o json or -o csv")
        yield from _hung(Text(" " * _INDENT), told, console)


def _ending(report: SafeReport, console: Console) -> Iterator[Text]:
    yield from _hung(Text(), Text(verdict(report), style="bold"), console)
    ordered = worst_first(report.checks)
    if report.status is Status.OK or not ordered or not is_finding(ordered[0]):
        return
    actions = ordered[0].actions
    first = next((place for place, action in enumerate(actions) if action.command), None)
    # What comes before the command comes before it here: whoever reads but the last lines must not
    # send events again to a handler that nobody has mended.
    for action in actions[:1] if first is None else actions[:first]:
        yield from _hung(Text("  "), Text(action.text), console)
    if first is not None and (command := actions[first].command):
        yield _command(command, 2)


def _packed(parts: tuple[str, ...], console: Console) -> Iterator[str]:
    """`parts` joined by dots, as many a line as fit; a part is broken only where it must be."""
    line = Text()
    width = console.width - _INDENT
    for part in (Text(part) for part in parts if part):
        if line and line.cell_len + 3 + part.cell_len > width:
            yield line.plain
            line = Text()
        joined = line + Text(" · ") + part if line else part
        *full, line = joined.wrap(console, width)
        yield from (text.plain for text in full)
    yield line.plain


def _labelled(label: str, text: str, console: Console) -> Iterator[Text]:
    indent = " " * _INDENT
    prefix = f"{indent}{label} " if label == "→" else f"{indent}{label:<6} "
    yield from _hung(Text(prefix), Text(text), console)


def _command(command: str, indent: int) -> Text:
    """Alone on its line and never wrapped here: the terminal's own wrapping copies as one line."""
    return Text(" " * indent + command)


def _hung(prefix: Text, body: Text, console: Console) -> Iterator[Text]:
    """`body` wrapped to the width, hanging from the end of `prefix`."""
    width = max(console.width - prefix.cell_len, 16)
    wrapped = body.wrap(console, width) or [Text()]
    for number, line in enumerate(wrapped):
        line.rstrip()
        yield (prefix if number == 0 else Text(" " * prefix.cell_len)) + line
