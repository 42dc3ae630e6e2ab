"""What the checks of one run measured, kept for the next: rates and growth need two readings.

Numbers alone are kept, so that no text from outside comes into a memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from payops.checks.contract import Earlier
from payops.checks.counted import SHORTEST_S
from payops.domain.result import CheckResult

Readings = Mapping[str, Earlier]
_SHORTEST = timedelta(seconds=SHORTEST_S)
_LARGEST = 10**300


def readings(before: Readings, results: Iterable[CheckResult]) -> dict[str, Earlier]:
    """The readings that the run after these `results` compares with, by the id of the check.

    A check that measured nothing this time keeps its reading of before. So does one that was read
    a moment ago: with runs nearer than that to one another, nothing would ever be compared.
    """
    kept = dict(before)
    for result in results:
        numbers = {name: value for name, value in result.measured.items() if _is_number(value)}
        if not numbers or result.as_of is None:
            continue
        known = before.get(result.id)
        if known is None or not timedelta() <= result.as_of - known.as_of < _SHORTEST:
            kept[result.id] = Earlier(result.as_of, numbers)
    return kept


def written(kept: Readings) -> dict[str, object]:
    """The readings as JSON has them."""
    return {
        id_: {"as_of": one.as_of.isoformat(), "measured": dict(one.measured)}
        for id_, one in kept.items()
    }


def read(document: Any) -> dict[str, Earlier]:
    """What `written` wrote. Raises ValueError, KeyError, TypeError or AttributeError for other."""
    found = {}
    for id_, one in document.items():
        as_of = datetime.fromisoformat(one["as_of"])
        if as_of.tzinfo is None:
            raise ValueError(f"{one['as_of']} has no zone")
        numbers = {str(k): v for k, v in one["measured"].items() if _is_number(v)}
        found[str(id_)] = Earlier(as_of, numbers)
    return found


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # Of a whole number without end no rate can be reckoned.
    return abs(value) < _LARGEST if isinstance(value, int) else math.isfinite(value)
