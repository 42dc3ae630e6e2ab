"""A table of a report: what it says once, for people and for programs.

A command gives its rows as values, not as texts: each output writes them in its own way, JSON as
objects by the columns' keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.domain.money import Money, MoneyAtRisk
from payops.domain.status import Status

Cell = str | int | float | bool | Money | tuple[MoneyAtRisk, ...] | datetime | timedelta | Status
"""Times are aware UTC. A bool is yes or no, a float has a unit (`Column.unit`)."""


@dataclass(frozen=True)
class Column:
    """`key` is the name in JSON and CSV, `title` the heading for people.

    `unit` stands beside numbers for people (`ms`, `%`). With `bar` the numbers are drawn as bars
    too, each as long as its share of the column's largest. A `wide` column is the one that is
    wrapped where the terminal is narrow. A column of `money` holds Money and becomes two in CSV,
    `KEY_minor` and `KEY_currency`.
    """

    key: str
    title: str
    unit: str = ""
    bar: bool = False
    wide: bool = False
    money: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns; None is a cell of which nothing is known.

    `id` is the key in JSON, `note` a line under it for people (what is left out, how sure it is).
    An empty table is shown with its note alone, and as `[]` in JSON.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.id}: a row has as many cells as there are columns")
