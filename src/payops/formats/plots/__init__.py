"""A report's plots as lines of text: on a terminal in Braille dots, in a pipe in ASCII.

plotille turns numbers into dots; the axes are payops' own, since their labels are hours and money.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.plot import Plot
from payops.formats.plots.ascii import ASCII

if TYPE_CHECKING:
    from plotille import Canvas

HEIGHT = 6  # lines of dots: three plots and their tables fit on a screen
PIPE_WIDTH = 78
_NARROWEST = 20
_GAP = 2


def plot_lines(plot: Plot, width: int, *, ascii_only: bool) -> Iterator[str]:
    """Title, dots and axis, no line wider than `width` columns; a plot without a single value is a
    line that says so."""
    known = [value for value in plot.values if value is not None and math.isfinite(value)]
    if not known:
        yield f"{plot.title}: nothing to draw"
        return
    top = _top(plot, known)
    labels = [_number(value, plot.unit) for value in (top, (top + plot.lowest) / 2, plot.lowest)]
    margin = max(map(len, labels))
    columns = max(width - margin - 3, _NARROWEST)
    each = columns // len(plot.values)
    columns = each * len(plot.values) if each else columns  # buckets of the same width
    rows = _dots(plot, top, columns, ascii_only)
    upright, corner, flat = ("|", "+", "-") if ascii_only else ("│", "└", "─")
    marks = {0: labels[0], HEIGHT // 2: labels[1], HEIGHT - 1: labels[2]}
    yield plot.title
    for number, row in enumerate(rows):
        yield f"{marks.get(number, ''):>{margin}} {upright}{row}".rstrip()
    yield f"{'':>{margin}} {corner}{flat * columns}"
    yield f"{'':>{margin}}  {_times(plot.moments, columns)}".rstrip()


_LEAST = 1e-9


def _top(plot: Plot, known: Sequence[float]) -> float:
    top = plot.highest if plot.highest is not None else max(known)
    # Below the smallest step that a canvas can reckon with there is nothing to be drawn.
    return top if top - plot.lowest > _LEAST else plot.lowest + 1


def _dots(plot: Plot, top: float, columns: int, ascii_only: bool) -> list[str]:
    import plotille

    # A canvas ends a dot above its highest one: so `top` itself is on the highest.
    dots = HEIGHT * 4
    edge = plot.lowest + (top - plot.lowest) * dots / (dots - 1)
    canvas = plotille.Canvas(
        width=columns, height=HEIGHT, xmin=0, xmax=len(plot.values), ymin=plot.lowest, ymax=edge
    )
    (_bars if plot.bars else _line)(canvas, plot, top)
    drawn = canvas.plot(linesep="\n").split("\n")
    # A cell without a dot is a blank of Braille, which a copy would carry along.
    return [row.translate(ASCII) if ascii_only else row.replace("\u2800", " ") for row in drawn]


def _bars(canvas: Canvas, plot: Plot, top: float) -> None:
    dots = canvas.width * 2
    each = dots // len(plot.values)
    # A blank column between bars where there is room; where there is not, the highest of those
    # that share a dot is seen.
    filled = max(each - 2, 1) if each >= 4 else max(each, 1)
    for number, value in enumerate(plot.values):
        if value is None or value <= plot.lowest:
            continue
        for dot in range(filled):
            x = number + dot / max(each, 1)
            canvas.line(x, plot.lowest, x, _inside(value, plot.lowest, top))


def _line(canvas: Canvas, plot: Plot, top: float) -> None:
    before: tuple[float, float] | None = None
    for number, value in enumerate(plot.values):
        if value is None or not math.isfinite(value):
            before = None
            continue
        here = (number + 0.5, _inside(value, plot.lowest, top))
        canvas.line(*(before or (number + 0.1, here[1])), *here)
        before = here
    if before is not None:
        canvas.line(*before, before[0] + 0.4, before[1])


def _inside(value: float, lowest: float, top: float) -> float:
    """What is beyond an edge is drawn at it."""
    return min(max(value, lowest), top)


def _number(value: float, unit: str) -> str:
    """`97 %`, `1.23 k`, `340 ms`, `12 s`: a few characters whatever the size.

    >>> _number(1234, ""), _number(97.5, "%"), _number(12_000, "ms"), _number(2.5e6, "")
    ('1.23 k', '97.5 %', '12 s', '2.5 M')
    """
    if unit == "ms" and abs(value) >= 1_000:
        value, unit = value / 1_000, "s"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}{unit}"
    return f"{value:.3g} {unit}".strip()


def _times(moments: Sequence[datetime], columns: int) -> str:
    """The beginning of as many buckets as fit, each under its own; days of a long time."""
    days = len(moments) > 1 and moments[-1] - moments[0] > timedelta(hours=48)
    shape = "%m-%d" if days or _is_daily(moments) else "%H:%M"
    line, free = "", 0
    for number, moment in enumerate(moments):
        at = number * columns // len(moments)
        label = f"{moment:{shape}}"
        if at >= free and at + len(label) <= columns:
            line = f"{line:<{at}}{label}"
            free = at + len(label) + _GAP
    return line


def _is_daily(moments: Sequence[datetime]) -> bool:
    return all(moment.hour == moment.minute == 0 for moment in moments)
