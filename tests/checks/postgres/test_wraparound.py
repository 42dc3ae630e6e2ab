"""How near is the point at which Postgres stops writing?"""

from __future__ import annotations

from typing import Any

import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.wraparound import CHECK, END
from payops.sources.postgres_database import DatabaseFacts
from tools import NOW, assert_is, assert_ok, gathered, judged


def facts(xids: int = 0, multixacts: int = 0, freeze: int = 200_000_000) -> DatabaseFacts:
    return DatabaseFacts(
        database="shop", role="payops", sees_all=True, in_recovery=False, commits=0, rollbacks=0,
        deadlocks=0, counted_s=None, connection_limit=-1, connections_here=1,
        oldest_xid_database="shop", xids=xids, oldest_multixact_database="logs\x1b",
        multixacts=multixacts, freeze_max_age=freeze, multixact_freeze_max_age=400_000_000,
        autovacuum=True, oldest_prepared_s=None, statements_schema=None,
        statements_available=False, as_of=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("xids", "multixacts", "freeze", "status"),
    [
        (0, 0, 200_000_000, "OK"),
        (300_000_000, 0, 200_000_000, "OK"),
        (300_000_001, 0, 200_000_000, "WARN"),
        (600_000_001, 0, 200_000_000, "CRIT"),
        (0, 600_000_000, 200_000_000, "OK"),
        (0, 600_000_001, 200_000_000, "WARN"),
        (END // 2, 0, 1_500_000_000, "OK"),
        (END // 2 + 1, 0, 1_500_000_000, "WARN"),
        (END * 81 // 100, 0, 1_500_000_000, "CRIT"),
    ],
)
def test_limits(xids: int, multixacts: int, freeze: int, status: str) -> None:
    result = judged(CHECK, facts(xids, multixacts, freeze))
    assert_is(status, result, "of the way to the end")
    assert bool(result.actions) == (status != "OK")


def test_the_worse_of_both_is_named_and_harmless() -> None:
    result = judged(CHECK, facts(10, 500_000_000))
    assert_ok(result, "the oldest multixact number", "in database logs\\x1b")


def test_limits_can_be_switched_off() -> None:
    off: dict[str, Any] = {"warn": None, "crit": None}
    assert_ok(judged(CHECK, facts(END - 1), used=off, overdue=off))


def test_gather(ctx: Ask) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "the oldest transaction number")
