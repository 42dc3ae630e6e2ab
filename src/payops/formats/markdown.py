"""The report for a ticket: GitHub's Markdown, in which text from outside never becomes markup.

Escaped is whatever CommonMark or GitHub could obey: emphasis, links, images, HTML, entities, code,
tables, headings, lists, math, mentions and issue numbers. A bare URL stays text (and is linked as
what it is).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from payops.domain.duration import ago, utc_text
from payops.domain.plot import Plot
from payops.domain.result import CheckResult
from payops.domain.table import Table
from payops.formats.discrepancies import left_out, listed
from payops.formats.grid import tabulate
from payops.formats.plots import PIPE_WIDTH, plot_lines
from payops.formats.safe import Page, SafeReport
from payops.formats.tables import cells, headings, is_number
from payops.formats.words import (
    by_cause,
    cost,
    counts,
    detail_text,
    is_finding,
    money_text,
    seen_text,
    title_of,
    verdict,
    worst_first,
)

_MARKUP = re.compile(r"[\\`*_\[\]<>|~$]")
_LEADING = re.compile(r"^(?:[-+=:]|[0-9]{1,9}(?=[.)](?:\s|$)))")
# A backslash does not stop GitHub from linking @name, #12 or owner/repo#12; a zero-width space
# does.
_REFERENCE = re.compile(r"(?i)(@(?=\w)|#(?=[0-9])|\bGH-(?=[0-9]))")


def escaped(text: str) -> str:
    r"""`text` so that Markdown shows it as it is.

    >>> escaped("a|b [x](y) <b> @ops")
    'a\\|b \\[x\\](y) \\<b\\> @&#8203;ops'
    """
    text = " ".join(text.split()).replace("&", "&amp;")
    text = _MARKUP.sub(lambda match: f"\\{match.group()}", text)
    text = _REFERENCE.sub(r"\1&#8203;", text)
    text = re.sub(r"(?<!&)#", r"\\#", text)
    return _LEADING.sub(_leading_escaped, text)  # a list, a rule or a heading under the line above


def _leading_escaped(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found}\\" if found.isdigit() else f"\\{found}"


def render(report: SafeReport, page: Page) -> str:
    """Heading, table, then a section for each finding; ends with a newline."""
    ordered = worst_first(report.checks)
    name = " ".join(escaped(word) for word in (report.command, report.environment) if word)
    blocks = [
        f"# {report.status.value}: payops {name}, {utc_text(report.generated_at)}",
        f"{counts(report)}. {cost(report)}.",
    ]
    if ordered:
        rows = [
            (check.status.value, escaped(title_of(check)), _summary(check)) for check in ordered
        ]
        drawn = tabulate(
            rows, headers=("Status", "Check", "Summary"), tablefmt="github", disable_numparse=True
        )
        # The last column needs no padding: one long summary would make every row as long.
        blocks.append(re.sub(r"(?m) +\|$", " |", re.sub(r"(?m)-+\|$", "---------|", drawn)))
    for check in by_cause([check for check in ordered if is_finding(check)]):
        blocks += _section(check, report, page)
    blocks += _discrepancies(report)
    for plot in report.plots:
        blocks.append(_plot(plot))
    for table in report.tables:
        blocks += table_blocks(table)
    blocks.append(f"**{escaped(verdict(report))}**")
    return "\n\n".join(blocks) + "\n"


def _discrepancies(report: SafeReport) -> Iterator[str]:
    rows = [
        [
            escaped(text)
            for text in (
                each.severity,
                each.match_class,
                each.money,
                each.age,
                each.ids,
                each.pair,
                "; ".join(filter(None, (each.cause, each.quirk))),
            )
        ]
        for each in listed(report)
    ]
    if not rows:
        return
    headers = ("Severity", "Class", "At risk", "Age", "Ledger / Stripe", "Says", "Likely cause")
    yield f"## Discrepancies ({len(rows):,})"
    drawn = tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)
    yield re.sub(r"(?m) +\|$", " |", re.sub(r"(?m)-+\|$", "---------|", drawn))
    if more := left_out(report):
        yield f"And {more:,} more."


def _plot(plot: Plot) -> str:
    """Title and dots in a fence; ASCII holds no backtick there, and every font has it."""
    title, *rows = plot_lines(plot, PIPE_WIDTH, ascii_only=True)
    drawn = "\n".join(["```text", *rows, "```"]) if rows else ""
    return "\n\n".join(filter(None, (f"## {escaped(title)}", drawn)))


def table_blocks(table: Table) -> Iterator[str]:
    """A table under its heading."""
    yield f"## {escaped(table.title)}"
    if table.rows:
        rows = [[escaped(text) for text in row] for row in cells(table)]
        heads = [escaped(title) for title in headings(table)]
        aligned = ["right" if is_number(table, n) else "left" for n in range(len(heads))]
        drawn = tabulate(
            rows, headers=heads, tablefmt="github", disable_numparse=True, colalign=aligned
        )
        yield re.sub(r"(?m) +\|$", " |", drawn)
    if table.note:
        yield escaped(table.note)


def _summary(check: CheckResult) -> str:
    return (escaped(check.summary) + (" (advisory)" if check.advisory else "")).strip()


def _section(check: CheckResult, report: SafeReport, page: Page) -> Iterator[str]:
    yield f"## {check.status.value}: {escaped(title_of(check))}"
    if check.summary:
        yield _summary(check)
    facts = [f"- {label}: {text}" for label, text in _facts(check, report, page)]
    if facts:
        yield "\n".join(facts)
    for action in check.actions:
        if action.text:
            yield f"Next: {escaped(action.text)}"
        if action.command:
            yield fenced(action.command)


def _facts(check: CheckResult, report: SafeReport, page: Page) -> Iterator[tuple[str, str]]:
    if check.since:
        yield "since", f"{utc_text(check.since)} ({ago(check.since, page.now)})"
    if check.money_at_risk:
        yield "money at risk", escaped(money_text(check))
    for evidence in check.evidence:
        detail = detail_text(evidence.detail)
        seen = f"{evidence.what} ({detail})" if detail else evidence.what
        yield "seen", escaped(f"{seen_text(evidence, report)}: {seen}")


def fenced(command: str) -> str:
    """`command` in a fence longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{command}\n{fence}"
