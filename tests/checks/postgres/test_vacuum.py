"""Does autovacuum reach the ledgers?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.vacuum import CHECK, FEW, Facts
from payops.errors import NotConfiguredError
from payops.sources.postgres_tables import TableState
from tools import NOW, assert_is, assert_ok, assert_warn, fake_context, gathered, judged


def table(dead: int, trigger: float = 10_000, **given: Any) -> TableState:
    words = {"name": "payments", "kind": "r", "rows": 50_000, "vacuumed_s": 7200, "xids": 1}
    return TableState(**{**words, "dead": dead, "trigger": trigger, "autovacuum": True, **given})


@pytest.mark.parametrize(
    ("dead", "trigger", "status"),
    [
        (0, 10_000, "OK"),
        (30_000, 10_000, "OK"),
        (30_001, 10_000, "WARN"),
        (100_000, 10_000, "WARN"),
        (100_001, 10_000, "CRIT"),
        (FEW - 1, 50, "OK"),
        (FEW, 50, "CRIT"),
    ],
)
def test_limits(dead: int, trigger: float, status: str) -> None:
    result = judged(CHECK, Facts(NOW, True, (table(dead, trigger),)))
    assert_is(status, result)
    assert bool(result.evidence) == bool(result.actions) == (status != "OK")
    if status != "OK":
        assert f"{dead:,} dead rows beside 50,000, last vacuumed 2 h ago" in result.summary


def test_turned_off() -> None:
    assert_warn(judged(CHECK, Facts(NOW, False, (table(0),))), "turned off on the server")
    off = judged(CHECK, Facts(NOW, True, (table(0, autovacuum=False),)))
    assert_warn(off, "turned off for payments")
    never = judged(CHECK, Facts(NOW, True, (table(40_000, vacuumed_s=None),)))
    assert_warn(never, "last vacuumed never")


def test_real_dead_rows(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "keeps up with 1 mapped table")
    sql.execute("ALTER TABLE payments SET (autovacuum_enabled = false)")
    sql.execute("INSERT INTO payments (amount) SELECT generate_series(1, 12000)")
    sql.execute("UPDATE payments SET amount = 0")
    sql.execute("SELECT pg_stat_force_next_flush()")
    result = judged(CHECK, gathered(CHECK, ctx()))
    assert result.status.value == "CRIT"
    assert "turned off for payments" in result.summary
    assert "12,000 dead rows" in result.summary
    sql.execute("VACUUM (ANALYZE) payments; ")
    sql.execute("ALTER TABLE payments RESET (autovacuum_enabled)")
    assert_ok(judged(CHECK, gathered(CHECK, ctx())))


def test_nothing_is_mapped() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
