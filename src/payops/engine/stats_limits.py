"""The limits of what `payops stats` judges, by id; engine/thresholds.py knows them too."""

from __future__ import annotations

from collections.abc import Mapping

from payops.domain.threshold import Limits, Threshold

_SAMPLE = Threshold(5, None, "count", "payops: fewer payments are at most WARN", "lower")

STATS: Mapping[str, Limits] = {
    "stats.success-rate": {
        "rate": Threshold(95, 90, "%", "S0-40: success below 95 % in an hour", "lower"),
        "sample": _SAMPLE,
    },
    "stats.error-rate": {
        "rate": Threshold(2, 10, "%", "S0-41: above 2 % in an hour; S4-33: above 10 % is P2"),
        "sample": _SAMPLE,
    },
    "stats.latency": {
        "p95": Threshold(10_000, None, "ms", "S0-42: p95 above 10 s in an hour"),
        "sample": _SAMPLE,
    },
}
# Of a week or a month (`--report`): the targets that a shop sets itself, which wake nobody.
TARGETS: Mapping[str, Limits] = {
    "stats.targets": {
        "success": Threshold(98, None, "%", "S1-12: target above 98 %", "lower"),
        "average": Threshold(3_000, None, "ms", "S1-13: average below 3 s"),
        "p95": Threshold(5_000, None, "ms", "S1-13: p95 below 5 s"),
    },
}
