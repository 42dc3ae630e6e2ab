"""Is a replica behind, and does a slot that nobody reads fill the disk?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.replication import CHECK, MIB, Facts
from payops.sources.postgres_replication import Replica, Slot, Standby
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_skip,
    assert_unknown,
    assert_warn,
    gathered,
    judged,
)


def replica(seconds: float | None = 0.0, size: int = 0, **given: Any) -> Facts:
    own = Replica(**{"receiver": True, "paused": False, "bytes": size, "seconds": seconds} | given)
    return Facts(NOW, own)


def standby(seconds: float | None = 0.0, size: int | None = 0, **given: Any) -> Facts:
    words = {"name": "r1", "client": "", "state": "streaming", "sync_state": "async"}
    one = Standby(**{**words, "hidden": False, "bytes": size, "seconds": seconds, **given})
    return Facts(NOW, standbys=(one,), role="payops")


def slot(retained: int = 0, inactive: float | None = None, **given: Any) -> Facts:
    words = {"name": "s1", "kind": "physical", "active": inactive is None, "wal_status": "reserved"}
    return Facts(
        NOW, slots=(Slot(**{**words, "retained": retained, "inactive_s": inactive, **given}),)
    )


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
def test_seconds_on_both_sides(lag: float, overrides: dict[str, Any], status: str) -> None:
    own = judged(CHECK, replica(lag), **overrides)
    assert_is(status, own, "this replica is", "behind")
    assert bool(own.actions) == (status != "OK")
    assert own.measured["lag"] == lag
    other = judged(CHECK, standby(lag), **overrides)
    assert_is(status, other, "r1 is")
    assert bool(other.actions) == (status != "OK")


@pytest.mark.parametrize(
    ("size", "status"),
    [(256 * MIB, "OK"), (256 * MIB + 1, "WARN"), (4096 * MIB, "WARN"), (4096 * MIB + 1, "CRIT")],
)
def test_bytes_on_both_sides(size: int, status: str) -> None:
    assert_is(status, judged(CHECK, replica(0.0, size)))
    assert_is(status, judged(CHECK, standby(0.0, size)))
    assert_is(status, judged(CHECK, standby(None, size)))


def test_a_replica_that_cannot_say_how_late_it_is() -> None:
    assert_unknown(judged(CHECK, replica(None)), "lag unknown")
    assert_ok(judged(CHECK, replica(None), lag={"warn": None, "crit": None}), "lag unknown")
    assert_crit(judged(CHECK, replica(paused=True)), "paused")
    assert_warn(judged(CHECK, replica(receiver=False)), "not connected to its primary")


def test_a_standby_that_may_not_be_seen_or_is_catching_up() -> None:
    result = judged(CHECK, standby(None, None, hidden=True, state=""))
    assert_skip(result, "its lag may not be seen")
    assert 'GRANT pg_read_all_stats TO "payops"' in result.actions[0].text
    assert_warn(judged(CHECK, standby(40, state="catchup")), "in state catchup")


@pytest.mark.parametrize(
    ("retained", "inactive", "status"),
    [
        (1024 * MIB, None, "OK"),
        (1024 * MIB + 1, None, "WARN"),
        (10240 * MIB + 1, None, "CRIT"),
        (0, 300, "OK"),
        (0, 300.1, "WARN"),
        (10240 * MIB + 1, 301, "CRIT"),
    ],
)
def test_slots(retained: int, inactive: float | None, status: str) -> None:
    result = judged(CHECK, slot(retained, inactive))
    assert_is(status, result, "slot s1")
    assert bool(result.actions) == (status != "OK")


@pytest.mark.parametrize("word", ["lost", "unreserved"])
def test_a_slot_whose_log_is_gone(word: str) -> None:
    assert_crit(judged(CHECK, slot(wal_status=word)), f"slot s1 is {word}")


def test_before_postgres_17_an_inactive_slot_is_a_warning_at_once() -> None:
    assert_warn(judged(CHECK, slot(active=False)), "read by nobody and keeps 0 MiB")
    assert_ok(judged(CHECK, slot(active=False), inactive={"warn": None}))


def test_an_inactive_slot_of_a_real_server(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "no replica and no slot")
    sql.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
    try:
        sql.execute("INSERT INTO payments (amount) SELECT generate_series(1, 20000)")
        found = gathered(CHECK, ctx())
    finally:
        sql.execute("SELECT pg_drop_replication_slot('forgotten')")
    result = judged(CHECK, found, retained={"warn": 100_000, "crit": 10**9}, inactive={"warn": 0})
    assert_warn(result, "slot forgotten is read by nobody for")
    assert isinstance(result.measured["retained"], int)
    assert result.measured["retained"] > 100_000
