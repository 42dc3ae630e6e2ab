"""Limits that a measured value is held against, each with the source of its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from payops.domain.status import Status

Worse = Literal["higher", "lower"]
Number = int | float


@dataclass(frozen=True)
class Threshold:
    """Two limits on one measured value.

    A value *beyond* `warn` is WARN, beyond `crit` is CRIT; a value equal to a limit is still
    inside it ("more than 10 pending", "below 95 %", runbooks 001 and 002). `None` switches a limit
    off. `unit` is what both are counted in: `s`, `ms`, `%`, `count`, `bytes`. `source` cites the
    checklist row (`S2-07`) or says why the number was chosen.
    """

    warn: Number | None
    crit: Number | None
    unit: str
    source: str
    worse: Worse = "higher"

    def judge(self, value: Number) -> Status:
        """Hold `value` (same unit) against the limits. What is not a number is UNKNOWN.

        >>> Threshold(95, 90, "%", "S0-40", worse="lower").judge(95).value
        'OK'
        >>> Threshold(1, 10, "count", "S2-09").judge(11).value
        'CRIT'
        """
        # A whole number is never NaN, and one of 400 digits is no float that could be asked.
        if isinstance(value, float) and math.isnan(value):
            return Status.UNKNOWN
        if self._beyond(value, self.crit):
            return Status.CRIT
        if self._beyond(value, self.warn):
            return Status.WARN
        return Status.OK

    def _beyond(self, value: Number, limit: Number | None) -> bool:
        if limit is None:
            return False
        return value > limit if self.worse == "higher" else value < limit


# A check's thresholds by the name of what they judge: {"age": ..., "count": ...}.
Limits = Mapping[str, Threshold]
