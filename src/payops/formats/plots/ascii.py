"""Braille cells in ASCII: of each cell's eight dots the character that is nearest."""

from __future__ import annotations

_FIRST = 0x2800
# Bits of a cell's dots by row, the left column's and the right's (Unicode, 'Braille Patterns').
_ROWS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_SINGLE = "'--_"


def nearest(bits: int) -> str:
    """The character for one cell.

    >>> "".join(nearest(bits) for bits in (0, 0xFF, 0x09, 0xC0, 0x47, 0x60))
    " #'_|/"
    """
    left = [row for row, (bit, _) in enumerate(_ROWS) if bits & bit]
    right = [row for row, (_, bit) in enumerate(_ROWS) if bits & bit]
    rows = {*left, *right}
    if not rows:
        return " "
    if len(rows) == 1:
        return _SINGLE[rows.pop()]
    if not left or not right:
        return "|" if len(rows) > 2 else ":"
    if len(left) > 1 and len(right) > 1:
        return "#" if len(rows) > 2 else "="
    if sum(left) / len(left) == sum(right) / len(right):
        return ":"
    return "/" if sum(left) / len(left) > sum(right) / len(right) else "\\"


ASCII = {_FIRST + bits: nearest(bits) for bits in range(256)}
"""For `str.translate`."""
