"""A diagnosis on a terminal: calm, the same lines as in a pipe, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from payops.formats.diagnosis.layout import INDENT, lines
from payops.formats.diagnosis.told import told
from payops.formats.paper import paper
from payops.formats.safe import Page, SafeReport
from payops.formats.table import STYLES
from payops.formats.table_rows import table_lines
from payops.formats.words import readable_utc

_WIDEST, _NARROWEST = 110, 40
_ASCII = str.maketrans({"·": "-", "…": "..."})


def render(report: SafeReport, page: Page) -> str:
    """The whole text, ending with a newline. No line but a command is wider than the page."""
    console = paper(max(page.width, _NARROWEST), colour=page.colour)
    with console.capture() as capture:
        for line in _lines(report, page, console):
            line.rstrip()
            console.print(line, soft_wrap=True)
    text = capture.get()
    return text.translate(_ASCII) if page.ascii_only else text


def _lines(report: SafeReport, page: Page, console: Console) -> Iterator[Text]:
    badge = Text().append(f" {report.status.value:<{INDENT - 2}}", style=STYLES[report.status])
    parts = (f"payops {report.command}", report.environment, readable_utc(report.generated_at))
    yield badge + Text(f" {' · '.join(filter(None, parts))}", style="bold")
    yield Text()
    for line in lines(told(report), min(console.width, _WIDEST)):
        label = Text(f"{line.label:<{INDENT}}", style="bold" if line.label else "")
        yield label + Text(line.text, style="bold" if line.strong else "")
    for table in report.tables:
        yield Text()
        yield from table_lines(table, page, console, "bold red")
