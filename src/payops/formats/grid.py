"""tabulate, the same on every machine: with `wcwidth` installed by chance it would count wide
characters in its own way, and a script's columns would move."""

from __future__ import annotations

import tabulate as _tabulate

_tabulate.WIDE_CHARS_MODE = False
tabulate = _tabulate.tabulate
