"""Cells that the tables of `payops stats` share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from payops.domain.money import Money
from payops.domain.payment import PAID
from payops.domain.table import Cell

if TYPE_CHECKING:
    from payops.engine.stats_numbers import Numbers
    from payops.sources.ledger import Outcome

Row = tuple[Cell | None, ...]


def note_of(found: Numbers, part: str, note: str) -> str:
    """Why a part is not known, else the note."""
    why = found.untold.get(part)
    return f"not known: {why}" if why else note


def volumes(rows: Iterable[Outcome]) -> Mapping[str, tuple[int, int]]:
    """Minor units and readable payments that took money, by currency."""
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.status in PAID:
            minor, count = sums.get(row.currency, (0, 0))
            sums[row.currency] = (minor + row.minor, count + row.count - row.inexact)
    return sums


def inexact(rows: Iterable[Outcome], currency: str) -> int:
    """Paid payments whose amount cannot be read."""
    return sum(row.inexact for row in rows if row.status in PAID and row.currency == currency)


def average(currency: str, minor: int, count: int) -> Money | None:
    """Minor units, half up; None of nothing."""
    return Money(currency, (2 * minor + count) // (2 * count)) if count else None


def whole(milliseconds: float | None) -> int | None:
    """Whole milliseconds."""
    return None if milliseconds is None else round(milliseconds)
