"""The report for a spreadsheet: a line a discrepancy, a line a row of the report's first table, or,
of other commands, a line a check.

Money stands in minor units beside its currency. A text that a spreadsheet would take for a formula
gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from payops.domain.change import TABLE as CHANGES
from payops.domain.duration import utc_text
from payops.domain.table import Cell, Column, Table
from payops.formats.discrepancies import discrepancies
from payops.formats.safe import Page, SafeReport
from payops.formats.tables import cell_text, money_cells
from payops.formats.words import title_of, worst_first

_FORMULA = re.compile(r"^[=+\-@\t\r]")
_TEXTS = (
    "class",
    "severity",
    "ledger",
    "local_id",
    "stripe_id",
    "local_status",
    "stripe_status",
    "matched_by",
    "order_id",
    "created",
    "age_s",
    "cause",
    "quirk",
)


def render(report: SafeReport, page: Page) -> str:
    """Header and lines, each ending with a newline."""
    if "discrepancies" in report.extra:
        header: Sequence[str] = (*_TEXTS, "minor", "currency", "candidates")
        return _written(header, map(_line, discrepancies(report)))
    # What changed since the run before is no reason for other columns.
    own = [table for table in report.tables if table.id != CHANGES]
    if own:
        return _written(*_table(own[0]))
    checks = (
        (check.status.value, title_of(check), check.summary, check.source)
        for check in worst_first(report.checks)
    )
    return _written(("status", "check", "summary", "source"), checks)


def _table(table: Table) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    header: list[str] = []
    for column in table.columns:
        key = column.key
        header += [f"{key}_minor", f"{key}_currency"] if column.money else [key]

    def line(row: Sequence[Cell | None]) -> list[object]:
        values: list[object] = []
        for column, cell in zip(table.columns, row, strict=True):
            values += money_cells(cell) if column.money else [_value(cell, column)]
        return values

    return header, map(line, table.rows)


def _value(cell: Cell | None, column: Column) -> object:
    """A number stays one, a span is seconds; all else as people read it."""
    if cell is None:
        return None
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    return cell_text(cell, column, utc_text)


def _line(found: object) -> Sequence[object]:
    assert isinstance(found, dict)  # noqa: S101  made so by discrepancies()
    money = found.get("money") or {}
    texts = [found.get(name) for name in _TEXTS]
    candidates = " ".join(str(each) for each in found.get("candidates", ()))
    return (*texts, money.get("minor"), money.get("currency"), candidates)


def _written(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
