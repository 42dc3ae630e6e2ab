"""Tables of a report: nothing is lost in any output, and nothing is said that was not given."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from formats.reports import NOW, report
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.table import Cell, Column, Table
from payops.formats import render
from payops.formats.tables import cells


def drawn(table: Table, output: str, width: int = 80) -> str:
    return render(report(tables=(table,)), output, colour=False, width=width, now=NOW)


def of(*values: Cell | None, **column: bool | str) -> Table:
    return Table("t", "T", (Column("v", "V", **column),), tuple((v,) for v in values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (1234, "1,234"),
        (0.25, "0.2"),
        ("", "-"),
        (" a\n b ", "a b"),
        (Money("jpy", 5000), "5,000 JPY"),
        ((MoneyAtRisk("usd", 5, 2), MoneyAtRisk("jpy", 1, 1)), "0.05 USD (2), 1 JPY (1)"),
        ((), "-"),
        (timedelta(minutes=12), "12 min"),
        (datetime(2026, 2, 11, 9, 0, tzinfo=UTC), "2026-02-11T09:00:00Z"),
    ],
)
def test_a_cell_in_words(cell: Cell | None, text: str) -> None:
    assert cells(of(cell)) == [[text]]


@pytest.mark.parametrize(
    ("values", "lengths"),
    [
        ((100, 50, 1, 0), (24, 12, 1, 0)),
        ((0, 0), (0, 0)),
        ((None, 3), (0, 24)),
        ((0.001, 1), (1, 24)),
    ],
)
def test_a_bar_has_its_share(values: tuple[Cell | None, ...], lengths: tuple[int, ...]) -> None:
    rows = cells(of(*values, bar=True), bar="#")
    assert tuple(text.count("#") for (text,) in rows) == lengths


def test_a_row_has_as_many_cells_as_columns() -> None:
    with pytest.raises(ValueError, match="as many cells"):
        Table("t", "T", (Column("a", "A"),), ((1, 2),))


def test_money_is_two_columns_of_a_spreadsheet() -> None:
    lines = list(csv.reader(io.StringIO(drawn(of(Money("usd", 1999), None, money=True), "csv"))))
    assert lines == [["v_minor", "v_currency"], ["1999", "usd"], ["", ""]]


def test_json_has_every_row_and_never_loses_a_key_of_the_contract() -> None:
    hostile = Table("checks", "T", (Column("v", "V"),), (("mine",),))
    document = json.loads(drawn(hostile, "json"))
    assert document["checks"] == []
    assert json.loads(drawn(of(1, None), "json"))["t"] == [{"v": 1}, {"v": None}]


words = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=60)


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=4), st.integers(40, 120))
def test_every_cell_is_whole_at_every_width(rows: list[tuple[str, ...]], width: int) -> None:
    columns = (Column("a", "A"), Column("b", "B", wide=True), Column("c", "C"))
    text = drawn(Table("t", "T", columns, tuple(rows)), "table", width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    kept = "".join(text.split())
    shown = cells(Table("t", "T", columns, tuple(rows)))
    for row in shown:
        # What is wrapped beside another column is no longer one piece, so only the first and last.
        assert all("".join(one.split()) in kept or cell_len(one) > 15 for one in row)


def test_a_narrow_page_makes_paragraphs_with_ids_whole() -> None:
    columns = tuple(Column(f"c{n}", f"C{n}") for n in range(4))
    table = Table("t", "T", columns, (("evt_" + "x" * 24, None, "y" * 30, 7),))
    text = drawn(table, "table", 60)
    assert "evt_" + "x" * 24 in text
    assert "y" * 30 in text
    assert "C1" not in text  # nothing is known of it
