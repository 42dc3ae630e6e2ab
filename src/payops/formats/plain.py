"""The report for a pipe: stable and greppable, the same at every width, never coloured.

    CRIT     health production at=2026-02-11T09:30:00Z checks=10 stripe_calls=4 duration_ms=1234
    CRIT     circuit.state     Breaker stripe is open
      since: 2026-02-11T09:18:00Z (12 min ago)
      money: 1,234.50 USD (3)
      seen: redis 09:29:58Z: ...
      action: Close the breaker
      next: payops circuit reset stripe

A discrepancy of `payops reconcile` is a line that begins with DIFF: severity, class, money, age,
how the ledger and Stripe call it, what each says of it.

A table begins with a line TABLE, its id and title; its rows are indented under it, the first of
them the columns' keys. A plot begins with a line PLOT, and is ASCII.

Where one failure keeps several checks from their question, the first says what to do and the others
`as: ID`.

A line that begins with a status word is the report (first line) or a check; indented lines belong
to the check above them. `grep '^CRIT'`, `grep next:`.
"""

from __future__ import annotations

from collections.abc import Iterator

from payops.domain.duration import ago, utc_text
from payops.domain.result import CheckResult
from payops.domain.table import Table
from payops.formats.discrepancies import left_out, listed
from payops.formats.grid import tabulate
from payops.formats.plots import PIPE_WIDTH, plot_lines
from payops.formats.safe import Page, SafeReport
from payops.formats.tables import cells, is_number
from payops.formats.words import (
    detail_text,
    is_finding,
    money_text,
    seen_text,
    title_of,
    worst_first,
)


def render(report: SafeReport, page: Page) -> str:
    """One line for the report, one a check, the worst first, details indented under findings."""
    ordered = worst_first(report.checks)
    head = (
        f"{report.status.value:<7}  {report.command} {report.environment or '-'}"
        f" at={utc_text(report.generated_at)} checks={len(ordered)}"
        f" stripe_calls={report.stripe_calls} duration_ms={report.duration_ms}"
    )
    lines = [head] if ordered else [head, "  no check was selected"]
    first: dict[str, str] = {}  # of each cause, the check that says what to do
    for check, row in zip(ordered, _rows(ordered), strict=True):
        lines.append(row)
        if check.cause in first:
            lines.append(f"  as: {first[check.cause]}")
        elif is_finding(check):
            lines += [f"  {name}: {text}" for name, text in _details(check, report, page)]
            if check.cause:
                first[check.cause] = title_of(check)
    for each in listed(report):
        lines.append(
            f"DIFF     {each.severity:<4}  {each.match_class}  {each.money}  {each.age}"
            f"  {each.ids}  {each.pair}"
        )
        known = (("cause", each.cause), ("quirk", each.quirk), ("perhaps", each.candidates))
        lines += [f"  {name}: {text}" for name, text in (*known, ("next", each.command)) if text]
    if more := left_out(report):
        lines.append(f"DIFF     … {more:,} more: --limit, -o json or -o csv")
    for plot in report.plots:
        lines.append(f"PLOT     {plot.id}")
        lines += [f"  {line}" for line in plot_lines(plot, PIPE_WIDTH, ascii_only=True)]
    for table in report.tables:
        lines += table_text(table)
    return "\n".join(lines) + "\n"


def table_text(table: Table) -> Iterator[str]:
    """A table under its line TABLE."""
    yield f"TABLE    {table.id}  {table.title}"
    keys = [column.key for column in table.columns]
    aligned = ["right" if is_number(table, n) else "left" for n in range(len(keys))]
    drawn = tabulate(
        [keys, *cells(table, bar="#")], tablefmt="plain", disable_numparse=True, colalign=aligned
    )
    if table.rows:
        yield from (f"  {line}".rstrip() for line in drawn.split("\n"))
    if table.note:
        yield f"  note: {table.note}"


def _rows(checks: list[CheckResult]) -> list[str]:
    if not checks:
        return []
    cells = [
        (
            title_of(check),
            " ".join(check.summary.split()) + (" (advisory)" if check.advisory else ""),
        )
        for check in checks
    ]
    drawn = tabulate(cells, tablefmt="plain", disable_numparse=True).split("\n")
    # As wide as the longest word, so that the columns do not depend on what failed.
    return [
        f"{check.status.value:<7}  {line}".rstrip()
        for check, line in zip(checks, drawn, strict=True)
    ]


def _details(check: CheckResult, report: SafeReport, page: Page) -> Iterator[tuple[str, str]]:
    if check.since:
        yield "since", f"{utc_text(check.since)} ({ago(check.since, page.now)})"
    if check.money_at_risk:
        yield "money", money_text(check)
    for evidence in check.evidence:
        detail = detail_text(evidence.detail)
        seen = f"{evidence.what} {detail}".strip()
        yield "seen", f"{seen_text(evidence, report)}: {seen}"
    for action in check.actions:
        if action.text:
            yield "action", action.text
        if action.command:
            yield "next", action.command
