"""Durations and moments as people type them, and as hostile input would have them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.duration import ago, human_duration, parse_duration, parse_moment, utc_text
from payops.domain.window import Window

NOW = datetime(2026, 2, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("2w", 1209600),
        ("500ms", 0.5), ("1h30m", 5400), ("1h 30m", 5400), (" 1.5H ", 5400), ("45", 45),
        ("0", 0), ("0.25", 0.25),
    ],
)  # fmt: skip
def test_parse_duration(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "h", "-5m", "+5m", "5 5m", "1.5.5h", "1mms", "5x", "1e9999", "1e3", "९h", "५", "inf",
     "nan", "9" * 64 + "d", "9" * 100_000, "999999999999d", "1h;rm", "1h\n2m3", "５m"],
)  # fmt: skip
def test_parse_duration_refuses(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  four wordings
        parse_duration(text)
    assert len(str(caught.value)) < 250


@given(st.integers(0, 10**9))
def test_whole_units_add_up(seconds: int) -> None:
    hours, rest = divmod(seconds, 3600)
    text = f"{hours}h{rest // 60}m{rest % 60}s"
    assert parse_duration(text) == timedelta(seconds=seconds)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    for parse in (parse_duration, lambda t: parse_moment(t, NOW)):
        with suppress(ValueError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-02-11T12:00:00Z"),
        (" NOW ", "2026-02-11T12:00:00Z"),
        ("24h", "2026-02-10T12:00:00Z"),
        ("90", "2026-02-11T11:58:30Z"),
        ("2026-02-11", "2026-02-11T00:00:00Z"),
        ("20260211", "2026-02-11T00:00:00Z"),
        ("2026-02-11T09:30", "2026-02-11T09:30:00Z"),
        ("2026-02-11 09:30", "2026-02-11T09:30:00Z"),
        ("2026-02-11t09:30z", "2026-02-11T09:30:00Z"),
        ("2026-02-11T09:30:00.999Z", "2026-02-11T09:30:00Z"),
        ("2026-02-11T09:30+05:45", "2026-02-11T03:45:00Z"),
        # Berlin's two 02:30s of 25 October 2026: the offset tells which
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z"),
        # and a time that its clocks skip is an instant all the same
        ("2026-03-29T02:30+01:00", "2026-03-29T01:30:00Z"),
        ("2027-01-01", "2027-01-01T00:00:00Z"),
    ],
)
def test_parse_moment(text: str, expected: str) -> None:
    moment = parse_moment(text, NOW)
    assert moment.tzinfo is UTC
    assert utc_text(moment) == expected


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-02-30", "2026-13-01", "1770000000", "999999d", "0001-01-01T00:00+14:00",
     "9999-12-31T23:59-14:00", "2026-02-11T09:30 Europe/Berlin", "२०२६-०२-११", "x" * 100_000],
)  # fmt: skip
def test_parse_moment_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="neither a duration") as caught:
        parse_moment(text, NOW)
    assert len(str(caught.value)) < 250


def test_a_now_of_another_zone_is_told_in_utc() -> None:
    local = datetime(2026, 2, 11, 13, tzinfo=timezone(timedelta(hours=1)))
    assert parse_moment("now", local) == parse_moment("0s", local) == NOW
    assert parse_moment("now", local).tzinfo is UTC


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"), (0.0004, "0 ms"), (0.9994, "999 ms"), (0.9996, "1 s"), (1, "1 s"),
        (119.4, "119 s"), (120, "2 min"), (3599.9, "59 min"), (3600, "1 h"), (3660, "1 h 1 min"),
        (86399, "23 h 59 min"), (86400, "1 d"), (90000, "1 d 1 h"), (-7200, "-2 h"),
        (float("inf"), "an unknown time"), (float("nan"), "an unknown time"),
    ],
)  # fmt: skip
def test_human_duration(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_ago() -> None:
    assert ago(NOW - timedelta(minutes=12), NOW) == "12 min ago"
    assert ago(NOW, NOW) == "just now"
    assert ago(NOW + timedelta(seconds=1), NOW) == "just now"
    assert ago(NOW + timedelta(minutes=3), NOW) == "in 3 min (clock differs?)"
    assert ago(datetime(2026, 2, 11, 11), NOW) == "1 h ago"  # noqa: DTZ001  naive is UTC


def test_utc_text() -> None:
    assert utc_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"
    assert utc_text(datetime(2026, 2, 11, 9, 30, 0, 999999)) == "2026-02-11T09:30:00Z"  # noqa: DTZ001
    tokyo = timezone(timedelta(hours=9))
    assert utc_text(datetime(2026, 2, 11, 9, 30, tzinfo=tokyo)) == "2026-02-11T00:30:00Z"


def test_a_windows_edges() -> None:
    window = Window(NOW - timedelta(hours=1), NOW)
    assert window.since in window
    assert window.until not in window
    assert NOW - timedelta(microseconds=1) in window
    assert window.since - timedelta(microseconds=1) not in window
    assert window.length == timedelta(hours=1)
    assert NOW not in Window(NOW, NOW)


def test_a_window_is_aware_and_ends_after_it_begins() -> None:
    with pytest.raises(ValueError, match="ends after"):
        Window(NOW, NOW - timedelta(seconds=1))
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 2, 11), NOW)  # noqa: DTZ001
