"""Do as many payments come as in the same hours of the last days?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.checks.payments.volume import CHECK, Facts, chance
from tools import NOW, assert_is, before, judged

SEVEN = (10,) * 7


@pytest.mark.parametrize(
    ("now", "before_", "status", "word"),
    [
        (0, (0,) * 7, "OK", "fewer than 2 days"),
        (0, (12,) + (0,) * 6, "OK", "fewer than 2 days"),
        (0, SEVEN, "CRIT", "0 payments in the last hour, 0 % of what is usual"),
        (1, SEVEN, "CRIT", "1 payment in"),
        (3, SEVEN, "OK", "so few that it may be chance"),
        (0, (3, 2, 4, 3, 3, 2, 3), "OK", "may be chance"),  # at night
        (0, (0, 0, 1, 0, 0, 0, 1), "OK", "none is usual at this time"),
        (500, (1000,) * 7, "OK", "50 % of what is usual"),
        (499, (1000,) * 7, "WARN", "50 %"),
        (200, (1000,) * 7, "WARN", "20 %"),
        (199, (1000,) * 7, "CRIT", "20 %"),
        (2000, (1000,) * 7, "OK", "200 %"),
        (0, (1000,) * 6 + (0,), "CRIT", "0 %"),  # six days known
        (100, (1000,) * 6 + (110,), "OK", "91 %"),  # a Sunday, as the last one
        (0, (20, 18), "CRIT", "0 %"),
    ],
)
def test_around_each_limit(now: int, before_: tuple[int, ...], status: str, word: str) -> None:
    result = judged(CHECK, Facts(NOW, 3600, now, before_))
    assert_is(status, result, word)
    assert bool(result.actions) == (status != "OK")
    assert result.since == (before(hours=1) if status != "OK" and now == 0 else None)


@given(st.integers(0, 60), st.floats(0.1, 50))
def test_chance_is_a_share_that_grows_with_the_count(count: int, expected: float) -> None:
    assert 0 < chance(count, expected) <= 100
    assert chance(count + 1, expected) >= chance(count, expected)
    assert chance(count, expected + 1) <= chance(count, expected) + 1e-9


def test_a_large_shop_is_reckoned_too() -> None:
    assert chance(20_000, 50_000) == 0
    assert 45 < chance(50_000, 50_000) < 55
