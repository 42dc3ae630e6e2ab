"""`external.tokens`: expired by status or by time, and soon to be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outside import connection, connections
from payops.checks.external.tokens import CHECK, Facts
from tools import NOW, assert_is, assert_ok, assert_warn, judged

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "status"),
    [
        (8 * DAY, "OK"),
        (7 * DAY, "OK"),
        (7 * DAY - timedelta(seconds=1), "WARN"),
        (DAY, "WARN"),
        (DAY - timedelta(seconds=1), "CRIT"),
        (timedelta(0), "WARN"),
        (-DAY, "WARN"),
    ],
)
def test_by_time(left: timedelta, status: str) -> None:
    rows = connections(connection(expires_at=NOW + left))
    result = judged(CHECK, Facts(rows, timed=True))
    assert_is(status, result)
    assert result.measured["expired"] == (1 if left <= timedelta(0) else 0)


def test_by_status() -> None:
    rows = connections(connection(), connection("2", "expired"))
    result = judged(CHECK, Facts(rows, timed=False))
    assert_warn(result, "1 connection of 2 expired", "not known")
    assert "authorised again" in result.actions[0].text
    assert "owner-2" in result.actions[0].text
    assert result.evidence[0].what == "square connection 2: its status is expired"


def test_one_that_was_given_up_is_not_told() -> None:
    rows = connections(connection(), connection("2", "disconnected", expires_at=NOW - DAY))
    assert_ok(judged(CHECK, Facts(rows, timed=True)), "none of 1 connection is expired")
