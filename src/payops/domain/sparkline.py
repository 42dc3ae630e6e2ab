"""A row of numbers as one line of small bars."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-=+*#@"


def sparkline(values: Sequence[float | None], most: float, *, ascii_only: bool = False) -> str:
    """A bar a value, full at `most` and above; a blank where nothing is known.

    >>> sparkline([0, 1, 3, None, 5, 9], 5)
    '▁▂▅ ██'
    """
    bars = _ASCII if ascii_only else _BARS
    top = len(bars) - 1
    return "".join(
        " " if value is None else bars[min(round(top * value / most), top) if most > 0 else 0]
        for value in values
    )
