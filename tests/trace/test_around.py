"""Amounts and times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from payops.trace.around import amount_of, window_of

NOW = datetime(2026, 2, 11, 12, tzinfo=UTC)
SPAN = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("49.99", "49.99"),
        ("$49.99", "49.99"),
        ("7", "7"),
        ("1,049.99", "1049.99"),
        ("1.234", "1.234"),
    ],
)
def test_an_amount(text: str, amount: str) -> None:
    assert amount_of(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["49,99", "0", "-1", "1e3", "NaN", "", "1.2345", "١٢"])
def test_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="--amount"):
        amount_of(text)


@pytest.mark.parametrize(
    ("around", "middle"),
    [
        ("11:05", NOW.replace(hour=11, minute=5)),
        ("11:05:30Z", NOW.replace(hour=11, minute=5, second=30)),
        ("14:05", NOW.replace(hour=14, minute=5) - timedelta(days=1)),
        ("2h", NOW - timedelta(hours=2)),
        ("2026-02-10T09:30", NOW.replace(day=10, hour=9, minute=30)),
        ("2026-02-11T10:30+02:00", NOW.replace(hour=8, minute=30)),
    ],
)
def test_a_time_is_utc_and_past(around: str, middle: datetime) -> None:
    window = window_of(around, SPAN, NOW)
    assert (window.since, window.until) == (middle - SPAN, middle + SPAN)


def test_a_window_does_not_reach_beyond_now() -> None:
    assert window_of("11:55", SPAN, NOW).until == NOW


@pytest.mark.parametrize("around", ["25:99", "tomorrow", "2027-01-01", ""])
def test_no_time(around: str) -> None:
    with pytest.raises(ValueError, match="--around"):
        window_of(around, SPAN, NOW)
