"""`external.connections`: statuses at and around each limit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outside import connection, connections
from payops.checks.external.connections import CHECK, Facts
from payops.errors import NotConfiguredError
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    judged,
    settings,
)

YOUNG = NOW - timedelta(hours=24)
OLD = NOW - timedelta(hours=24, seconds=1)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([connection()], "OK"),
        ([connection(), connection("2", "error")], "WARN"),
        ([connection(), connection("2", None)], "WARN"),
        ([connection("1", "error")], "CRIT"),
        ([connection(), connection("2", "disconnected")], "OK"),
        ([connection(), connection("2", "expired")], "OK"),
        ([connection("1", "expired")], "OK"),
        ([connection(), connection("2", "pending", created_at=YOUNG)], "OK"),
        ([connection(), connection("2", "pending", created_at=OLD)], "WARN"),
        ([connection(), connection("2", "pending", created_at=None)], "WARN"),
        ([connection(errors=0)], "OK"),
        ([connection(errors=1)], "WARN"),
        ([connection(), connection("2", "disconnected", errors=9)], "OK"),
    ],
)
def test_status(rows: list[object], status: str) -> None:
    result = judged(CHECK, Facts(connections(*rows)))  # type: ignore[arg-type]
    assert_is(status, result)
    assert (result.actions == ()) is (status == "OK")


def test_none_at_all_is_a_warning() -> None:
    assert_warn(judged(CHECK, Facts(connections())), "no connection")
    result = judged(CHECK, Facts(connections(connection("1", "disconnected"))))
    assert_warn(result, "all are disconnected")


def test_it_says_how_many_and_why() -> None:
    bad = connection("2", "error", errors=4, last_error="401 from\nsquare")
    result = judged(CHECK, Facts(connections(connection(), bad), "connections-pending"))
    assert_warn(result, "1 of 2 connections connected; 1 error")
    assert "4 errors, last: 401 from square" in result.evidence[0].what
    assert result.evidence[0].detail["owner"] == "owner-2"
    assert "payops remedy plan connections-pending" in result.actions[1].command


def test_one_that_is_connected_and_fails_is_named() -> None:
    bad = connection("2", errors=4, last_error="timeout")
    result = judged(CHECK, Facts(connections(connection(), bad), "connections-pending"))
    assert_warn(result, "2 of 2 connections connected, 1 of them with errors")
    assert "4 errors, last: timeout" in result.evidence[0].what
    assert "synchronised by hand" in result.actions[1].text
    assert_ok(judged(CHECK, Facts(connections(bad)), failing={"warn": 1}))


def test_limits_can_be_moved() -> None:
    facts = Facts(connections(connection(), connection("2", "error")))
    assert_ok(judged(CHECK, facts, failed={"warn": 1}))
    assert_crit(judged(CHECK, facts, failed={"warn": 0, "crit": 0}))


def test_not_used_here() -> None:
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings()))
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings(external={})))
