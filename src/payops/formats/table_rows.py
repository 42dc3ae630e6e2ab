"""A report's tables on a terminal: aligned columns, no boxes, nothing cut off.

Where a row does not fit, its wide columns are wrapped; where that is not enough, each row becomes a
paragraph of its own in which every cell has its title, so that an id can still be copied whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from payops.domain.status import Status
from payops.domain.table import Table
from payops.formats.safe import Page
from payops.formats.tables import cells, headings, is_number, short_moment

_GAP = 2
_NARROWEST_WIDE = 18


def table_lines(table: Table, page: Page, console: Console, badge: str) -> Iterator[Text]:
    """The title, the heading, a line or more a row, the note; `badge` is the style of CRIT."""
    yield from _wrapped(table.title, console, "", "bold")
    rows = cells(table, short_moment(page.now), bar="#" if page.ascii_only else "\u2588")
    if rows:
        widths = _widths(table, rows, console.width)
        if widths is None:
            yield from _stacked(table, rows, console)
        else:
            yield from _aligned(table, rows, widths, console, badge)
    if table.note:
        yield from _wrapped(table.note, console, "  ", "dim")


def _widths(table: Table, rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Of each column; None where even wrapped wide columns leave no room."""
    natural = [
        max(cell_len(text) for text in column)
        for column in zip(headings(table), *rows, strict=True)
    ]
    over = sum(natural) + _GAP * len(natural) - width
    wide = [number for number, column in enumerate(table.columns) if column.wide]
    for number in sorted(wide, key=lambda n: -natural[n]):
        if over <= 0:
            break
        less = max(min(over, natural[number] - _NARROWEST_WIDE), 0)
        natural[number] -= less
        over -= less
    return natural if over <= 0 else None


def _aligned(
    table: Table,
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    console: Console,
    badge: str,
) -> Iterator[Text]:
    right = [is_number(table, number) for number in range(len(widths))]
    for index, row in enumerate([headings(table), *rows]):
        columns = [
            Text(text).wrap(console, width) if cell_len(text) > width else [Text(text)]
            for text, width in zip(row, widths, strict=True)
        ]
        for number in range(max(map(len, columns))):
            line = Text("  ")
            for column, width, to_right in zip(columns, widths, right, strict=True):
                part = column[number].plain.strip() if number < len(column) else ""
                space = " " * max(width - cell_len(part), 0)
                style = "dim" if not index else badge if part == Status.CRIT.value else ""
                line.append(space if to_right else "")
                line.append(part, style=style)
                line.append("" if to_right else space)
                line.append(" " * _GAP)
            yield line


def _stacked(table: Table, rows: Sequence[Sequence[str]], console: Console) -> Iterator[Text]:
    for row in rows:
        line = ""
        first = True
        named = zip(table.columns, row, strict=True)
        parts = [
            text if number == 0 else f"{column.title} {text}"
            for number, (column, text) in enumerate(named)
            if number == 0 or text != "-"
        ]
        for part in parts:
            joined = f"{line} · {part}" if line else part
            if line and cell_len(joined) > console.width - 4:
                yield from _wrapped(line, console, "  " if first else "    ")
                line, first = part, False
            else:
                line = joined
        yield from _wrapped(line, console, "  " if first else "    ")


def _wrapped(text: str, console: Console, indent: str, style: str = "") -> Iterator[Text]:
    for line in Text(text).wrap(console, max(console.width - len(indent), 16)):
        line.rstrip()
        yield Text(indent) + Text(line.plain, style=style)
