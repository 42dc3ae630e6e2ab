"""Does Postgres answer, how far behind, and with how many connections left?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from payops.checks.postgres.connect import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.postgres_facts import PostgresFacts
from tools import NOW, Raises, assert_is, assert_ok, assert_unknown, fake_context, gathered, judged


def facts(used: int = 10, usable: int = 100, *, replica: bool = False, lag: Any = None) -> Facts:
    return Facts(NOW, "16.4", replica, lag, used, usable, 3.2)


@pytest.mark.parametrize(
    ("used", "overrides", "status"),
    [
        (0, {}, "OK"),
        (80, {}, "OK"),
        (81, {}, "WARN"),
        (95, {}, "WARN"),
        (96, {}, "CRIT"),
        (120, {}, "CRIT"),
        (50, {"connections": {"warn": "40%", "crit": "49%"}}, "CRIT"),
        (100, {"connections": {"crit": None}}, "WARN"),
        (100, {"connections": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_connections(used: int, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(used), **overrides)
    assert_is(status, result, "PostgreSQL 16.4, primary, answers in 3 ms", f"{used} of 100")
    assert bool(result.actions) == (status != "OK")


@pytest.mark.parametrize(
    ("lag", "overrides", "status"),
    [
        (0, {}, "OK"),
        (30, {}, "OK"),
        (30.1, {}, "WARN"),
        (300, {}, "WARN"),
        (300.1, {}, "CRIT"),
        (90, {"lag": {"warn": "2m", "crit": "10m"}}, "OK"),
        (9e9, {"lag": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_lag(lag: float, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(replica=True, lag=lag), **overrides)
    assert_is(status, result, "read-only replica", "behind")
    assert result.measured["lag"] == lag


def test_a_replica_that_cannot_say_how_late_it_is() -> None:
    result = judged(CHECK, facts(replica=True))
    assert_unknown(result, "read-only replica, lag unknown")
    assert result.actions
    assert_ok(judged(CHECK, facts(replica=True), lag={"warn": None, "crit": None}), "lag unknown")
    assert_ok(judged(CHECK, facts()), "primary")


def test_no_slot_at_all_does_not_crash() -> None:
    assert_is("CRIT", judged(CHECK, facts(3, 0)), "3 of 0 connections")


def test_gather() -> None:
    server = PostgresFacts(
        version="16.4",
        database="shop",
        in_recovery=False,
        replay_lag_s=None,
        max_connections=20,
        reserved=30,
        connections=4,
        states={},
        latency_ms=1.0,
        now=NOW,
        as_of=NOW,
    )
    found = gathered(CHECK, fake_context(postgres=SimpleNamespace(server=lambda: server)))
    assert (found.used, found.usable, found.version) == (4, 0, "16.4")
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(postgres=Raises(Failure.AUTHENTICATION)))
