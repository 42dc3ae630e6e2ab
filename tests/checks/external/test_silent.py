"""`external.silent`: connected, and for how long without a transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outside import connection, connections
from payops.checks.external.silent import CHECK, Facts
from payops.errors import NotConfiguredError
from tools import NOW, assert_is, assert_ok, assert_warn, fake_context, judged, settings

HOURS = timedelta(hours=1)


@pytest.mark.parametrize(
    ("silence", "status"),
    [
        (HOURS, "OK"),
        (24 * HOURS, "OK"),
        (24 * HOURS + timedelta(seconds=1), "WARN"),
        (24 * 9 * HOURS, "WARN"),
        (-HOURS, "OK"),
    ],
)
def test_silence(silence: timedelta, status: str) -> None:
    result = judged(CHECK, Facts(connections(connection(last_transaction=NOW - silence))))
    assert_is(status, result)


def test_the_longest_is_told_first() -> None:
    rows = [connection(str(n), last_transaction=NOW - n * 24 * HOURS) for n in range(1, 4)]
    result = judged(CHECK, Facts(connections(*rows)))
    assert_warn(result, "2 of 3 connected connections", "3 d: square connection 3")
    assert result.since == NOW - 72 * HOURS
    assert result.actions[0].command == "payops connections 3"
    assert result.measured == {"silence": 72 * 3600, "silent": 2}


def test_one_that_never_had_any_is_silent_since_it_was_made() -> None:
    young = connection(last_transaction=None, created_at=NOW - 23 * HOURS)
    assert_ok(judged(CHECK, Facts(connections(young))))
    old = connection(last_transaction=None, created_at=NOW - 25 * HOURS)
    result = judged(CHECK, Facts(connections(old)))
    assert_warn(result)
    assert "none ever" in result.evidence[0].what


def test_only_connected_ones_are_asked() -> None:
    rows = connections(connection("1", "error", last_transaction=NOW - 99 * HOURS))
    assert_ok(judged(CHECK, Facts(rows)), "nothing to judge")


def test_not_used_without_the_column() -> None:
    mapped = {"connections": {"table": "c", "columns": {"id": "id"}}}
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings(external=mapped)))
