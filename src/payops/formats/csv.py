"""The report for a spreadsheet: a line a discrepancy, or, of other commands, a line a check.

Money stands in minor units beside its currency. A text that a spreadsheet would take for a formula
gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from payops.formats.discrepancies import discrepancies
from payops.formats.safe import Page, SafeReport
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
    checks = (
        (check.status.value, title_of(check), check.summary, check.source)
        for check in worst_first(report.checks)
    )
    return _written(("status", "check", "summary", "source"), checks)


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
