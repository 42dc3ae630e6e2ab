"""A report's tables in texts: what the outputs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from payops.domain.duration import human_duration, utc_text
from payops.domain.money import MoneyAtRisk
from payops.domain.status import Status
from payops.domain.table import Cell, Column, Table
from payops.domain.text import shortened

LONGEST_BAR = 24
_LONGEST = 240  # characters of one cell for people; JSON has all of it
Texts = list[str]


def cells(
    table: Table, moment: Callable[[datetime], str] = utc_text, *, bar: str = ""
) -> list[Texts]:
    """Each row as texts, a bar beside the number where `bar` (one character) is given."""
    columns = [_column(table, number, moment, bar) for number in range(len(table.columns))]
    return [list(row) for row in zip(*columns, strict=True)] if table.rows else []


def headings(table: Table) -> Texts:
    """The columns' titles."""
    return [column.title for column in table.columns]


def is_number(table: Table, number: int) -> bool:
    """Whether a column holds numbers without bars, or money: it is aligned to the right."""
    column = table.columns[number]
    kinds = {type(row[number]) for row in table.rows if row[number] is not None}
    return column.money or (bool(kinds) and kinds <= {int, float} and not column.bar)


def short_moment(now: datetime) -> Callable[[datetime], str]:
    """A time for a narrow column: `09:18:04Z`, `02-10 09:18Z` of another day of this year."""

    def shown(moment: datetime) -> str:
        text = utc_text(moment)
        today = utc_text(now)
        if text[:10] == today[:10]:
            return text[11:]
        return f"{text[5:10]} {text[11:16]}Z" if text[:4] == today[:4] else text[:10]

    return shown


def cell_text(cell: Cell | None, column: Column, moment: Callable[[datetime], str]) -> str:
    """One cell for people."""
    if cell is None:
        return "-"
    if isinstance(cell, Status):
        return cell.value
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return moment(cell)
    if isinstance(cell, timedelta):
        return human_duration(cell.total_seconds())
    if isinstance(cell, tuple):
        return ", ".join(map(str, cell)) or "-"
    if isinstance(cell, int | float):
        text = f"{cell:,}" if isinstance(cell, int) else f"{cell:,.1f}"
        return f"{text} {column.unit}" if column.unit else text
    return shortened(" ".join(str(cell).split()), _LONGEST) or "-"


def money_cells(cell: Cell | None) -> tuple[int | None, str | None]:
    """Minor units and currency, for a spreadsheet."""
    if cell is None or isinstance(cell, tuple):
        only = cell[0] if cell and len(cell) == 1 else None
        return (only.minor, only.currency) if isinstance(only, MoneyAtRisk) else (None, None)
    return getattr(cell, "minor", None), getattr(cell, "currency", None)


def _column(table: Table, number: int, moment: Callable[[datetime], str], bar: str) -> Texts:
    column = table.columns[number]
    values = [row[number] for row in table.rows]
    texts = [cell_text(value, column, moment) for value in values]
    if not column.bar or not bar:
        return texts
    width = max(map(len, texts))
    return [
        f"{text:<{width}} {bar * length}".rstrip()
        for text, length in zip(texts, _lengths(values), strict=True)
    ]


def _lengths(values: Sequence[Cell | None]) -> list[int]:
    """Each bar by its share of the largest; what is more than nothing has one at least."""
    numbers = [value if isinstance(value, int | float) else 0 for value in values]
    most = max(numbers, default=0)
    if most <= 0:
        return [0] * len(numbers)
    return [max(round(LONGEST_BAR * one / most), 1) if one > 0 else 0 for one in numbers]
