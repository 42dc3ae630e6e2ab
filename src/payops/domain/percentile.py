"""A percentile of few values."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value that at least `share` (0 to 1) of them do not exceed: nearest rank, so that of a
    few the 95th percentile is the worst that was seen.

    >>> percentile((10.0, 30.0, 20.0), 0.5), percentile((10.0, 30.0, 20.0), 0.95)
    (20.0, 30.0)
    """
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 100) // 100)
    return ordered[max(rank, 1) - 1]
