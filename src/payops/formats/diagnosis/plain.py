"""A diagnosis for a pipe: 80 columns, never coloured, the first line as every report's."""

from __future__ import annotations

from payops.domain.duration import utc_text
from payops.formats.diagnosis.layout import INDENT, lines
from payops.formats.diagnosis.told import told
from payops.formats.plain import table_text
from payops.formats.safe import Page, SafeReport

_WIDTH = 80


def render(report: SafeReport, page: Page) -> str:
    """The whole text, ending with a newline."""
    head = (
        f"{report.status.value:<7}  {report.command} {report.environment or '-'}"
        f" at={utc_text(report.generated_at)} checks={len(report.checks)}"
        f" stripe_calls={report.stripe_calls} duration_ms={report.duration_ms}"
    )
    found = [f"{line.label:<{INDENT}}{line.text}".rstrip() for line in lines(told(report), _WIDTH)]
    for table in report.tables:
        found += ["", *table_text(table)]
    return "\n".join([head, "", *found]) + "\n"
