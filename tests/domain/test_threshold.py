"""At a limit is inside it; beyond it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.status import Status
from payops.domain.threshold import Threshold, Worse

HIGHER = Threshold(5, 10, "count", "test")
LOWER = Threshold(95, 90, "%", "test", worse="lower")


@pytest.mark.parametrize(
    ("threshold", "value", "expected"),
    [
        (HIGHER, -1, Status.OK),
        (HIGHER, 5, Status.OK),
        (HIGHER, 5.000001, Status.WARN),
        (HIGHER, 10, Status.WARN),
        (HIGHER, 10.000001, Status.CRIT),
        (HIGHER, float("inf"), Status.CRIT),
        (HIGHER, 10**400, Status.CRIT),
        (LOWER, -(10**400), Status.CRIT),
        (HIGHER, float("nan"), Status.UNKNOWN),
        (LOWER, 100, Status.OK),
        (LOWER, 95, Status.OK),
        (LOWER, 94.999, Status.WARN),
        (LOWER, 90, Status.WARN),
        (LOWER, 89.999, Status.CRIT),
        (Threshold(None, 10, "s", ""), 9, Status.OK),
        (Threshold(None, 10, "s", ""), 11, Status.CRIT),
        (Threshold(5, None, "s", ""), 10**9, Status.WARN),
        (Threshold(None, None, "s", ""), 10**9, Status.OK),
        (Threshold(0, 0, "count", ""), 0, Status.OK),
        (Threshold(0, 0, "count", ""), 1, Status.CRIT),
    ],
)
def test_judge(threshold: Threshold, value: float, expected: Status) -> None:
    assert threshold.judge(value) is expected


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9))
def test_further_out_is_never_better(warn: int, crit: int, value: int, step: int) -> None:
    directions: list[tuple[Worse, int]] = [("higher", 1), ("lower", -1)]
    for worse, sign in directions:
        limit = Threshold(warn, crit, "count", "", worse=worse)
        assert limit.judge(value + sign * step).rank >= limit.judge(value).rank
