"""Plots: at any width, in ASCII and in Braille, and what they say of what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.plot import Plot
from payops.domain.report import Report
from payops.formats import render
from payops.formats.plots import HEIGHT, plot_lines

BEGIN = datetime(2026, 2, 10, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def plot(*values: float | None, step: timedelta = HOUR, **more: object) -> Plot:
    moments = tuple(BEGIN + number * step for number in range(len(values)))
    return Plot("p", "Payments by hour", moments, values, **more)  # type: ignore[arg-type]


def drawn(one: Plot, width: int = 80, *, ascii_only: bool = True) -> list[str]:
    return list(plot_lines(one, width, ascii_only=ascii_only))


def test_bars_in_ascii() -> None:
    assert drawn(plot(0, 2, 4, None, bars=True), 32) == [
        "Payments by hour",
        "4 |              ######",
        "  |              ######",
        "  |       ______ ######",
        "2 |       ###### ######",
        "  |       ###### ######",
        "0 |       ###### ######",
        "  +----------------------------",
        "   10:00  11:00  12:00  13:00",
    ]


def test_all_at_the_top_is_seen() -> None:
    lines = drawn(plot(*[100.0] * 24, unit="%", lowest=90, highest=100))
    assert lines[1].startswith("100 % |'")
    assert set(lines[1].partition("|")[2]) == {"'"}


def test_a_gap_is_no_zero() -> None:
    first, *_ = (line for line in drawn(plot(5, 5, None, None, 5, 5)) if "'" in line)
    dots = first.partition("|")[2]
    assert " " * (len(dots) // 4) in dots.strip()
    assert "_" not in "".join(drawn(plot(5, 5, None, None, 5, 5))[1:-2])


@pytest.mark.parametrize("values", [(), (None, None), (float("nan"),)])
def test_nothing_known_is_said(values: tuple[float | None, ...]) -> None:
    assert drawn(plot(*values)) == ["Payments by hour: nothing to draw"]


def test_zeros_alone_have_an_axis() -> None:
    lines = drawn(plot(0, 0, 0, bars=True))
    assert lines[1].startswith("  1 |")
    assert "#" not in "".join(lines)


def test_days_have_dates() -> None:
    assert "02-10" in drawn(plot(1, 2, 3, 4, step=timedelta(days=1)))[-1]


@pytest.mark.parametrize(
    ("value", "unit", "label"),
    [(1234, "", "1.23 k"), (97.5, "%", "97.5 %"), (12_000, "ms", "12 s"), (250, "ms", "250 ms")],
)
def test_labels_are_short(value: float, unit: str, label: str) -> None:
    assert drawn(plot(value, unit=unit))[1].startswith(f"{label} |")


def test_in_a_pipe_it_is_ascii_and_80_columns_wide() -> None:
    report = Report("stats", BEGIN, "lab", (), plots=(plot(*range(169), bars=True),))
    text = render(report, "plain", colour=False, width=400, now=BEGIN)
    assert text.isascii()
    assert "PLOT     p\n  Payments by hour\n" in text
    assert max(map(len, text.splitlines())) <= 80
    markdown = render(report, "markdown", colour=False, width=400, now=BEGIN)
    assert "```text\n" in markdown


def test_on_a_terminal_it_fits() -> None:
    report = Report("stats", BEGIN, "lab", (), plots=(plot(*range(25), unit="ms"),))
    for width in (40, 80, 200):
        text = render(report, "table", colour=False, width=width, now=BEGIN, ascii_only=False)
        assert max(map(len, text.splitlines())) <= width
        assert "│" in text
        plain = render(report, "table", colour=False, width=width, now=BEGIN, ascii_only=True)
        assert plain.isascii()


def test_programs_are_given_tables_and_no_dots() -> None:
    report = Report("stats", BEGIN, "lab", (), plots=(plot(1, 2),))
    for output in ("json", "csv", "nagios"):
        text = render(report, output, colour=False, width=80, now=BEGIN, ascii_only=True)
        assert "+---" not in text


def test_each_value_has_its_time() -> None:
    with pytest.raises(ValueError, match="its time"):
        Plot("p", "t", (BEGIN,), (1.0, 2.0))


@given(
    values=st.lists(
        st.none() | st.floats(0, 1e12, allow_nan=False) | st.integers(0, 9),
        min_size=1,
        max_size=300,
    ),
    width=st.integers(40, 120),
    bars=st.booleans(),
    ascii_only=st.booleans(),
)
def test_any_values_fit_any_width(
    values: list[float | None], width: int, bars: bool, ascii_only: bool
) -> None:
    lines = drawn(plot(*values, bars=bars), width, ascii_only=ascii_only)
    assert len(lines) in (1, HEIGHT + 3)
    assert max(map(len, lines)) <= width
    if ascii_only:
        assert "".join(lines).isascii()
