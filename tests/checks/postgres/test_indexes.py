"""Have the columns that payments are looked up by an index that works?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.indexes import CHECK, Facts
from payops.errors import NotConfiguredError
from payops.sources.postgres_tables import Index
from tools import NOW, assert_is, assert_ok, assert_warn, fake_context, gathered, judged

WANTED = {"payments": {"created_at": "created_at", "status": "state", "processor_ref": "ref"}}


def index(*columns: str, **given: Any) -> Index:
    words = {"table": "payments", "name": f"on_{'_'.join(columns)}", "valid": True}
    more = {"partial": False, "unique": False, "first": columns[0], "building": False}
    return Index(**{**words, **more, "columns": [*columns], **given})


GOOD = (index("created_at"), index("state"), index("ref"))


def facts(rows: int, *indexes: Index) -> Facts:
    return Facts(NOW, WANTED, {"payments": rows}, indexes)


@pytest.mark.parametrize(
    ("rows", "indexes", "missing", "status"),
    [
        (10**9, GOOD, 0, "OK"),
        (100_000, (), 3, "OK"),
        (100_001, (), 3, "WARN"),
        (10**9, (GOOD[0], GOOD[1]), 1, "WARN"),
        (10**9, (index("created_at", "state"), GOOD[2]), 0, "OK"),
        (10**9, (index("state", "created_at"), GOOD[2]), 1, "WARN"),
        (10**9, (*GOOD[:2], index("ref", partial=True)), 0, "OK"),
        (10**9, (index("created_at", partial=True), *GOOD[1:]), 1, "WARN"),
        (10**9, (*GOOD[:1], index("", first="lower(state)"), GOOD[2]), 0, "OK"),
        (10**9, (*GOOD[:2], index("ref", table="refunds")), 1, "WARN"),
        (5, (*GOOD[:2], index("ref", valid=False)), 1, "WARN"),
        (5, (*GOOD, index("x", valid=False, building=True)), 0, "OK"),
        (5, (*GOOD, index("x", valid=False)), 0, "WARN"),
    ],
)
def test_what_serves(rows: int, indexes: tuple[Index, ...], missing: int, status: str) -> None:
    result = judged(CHECK, facts(rows, *indexes))
    assert_is(status, result)
    assert result.measured["missing"] == missing
    assert bool(result.actions) == (status != "OK")


def test_it_says_how_to_make_it_without_locking() -> None:
    result = judged(CHECK, facts(10**9, *GOOD[:2], index("x", valid=False, name='a"b')))
    assert_warn(result, '1 index invalid: a"b', "no index on payments.ref")
    assert 'REINDEX INDEX CONCURRENTLY "a""b"' in result.actions[0].text
    assert result.actions[1].text.endswith('CREATE INDEX CONCURRENTLY ON "payments" ("ref")')


def test_limits_can_be_switched_off() -> None:
    off = {"warn": None}
    result = judged(CHECK, facts(10**9, index("x", valid=False)), rows=off, invalid=off)
    assert_ok(result, "no index on", "small yet")


def test_a_table_that_is_a_view_or_missing_is_left_out() -> None:
    found = Facts(NOW, {**WANTED, "gone": {"event_id": "id"}}, {"payments": 10**9}, GOOD)
    assert_ok(judged(CHECK, found))


def test_real_indexes(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    sql.execute(
        "INSERT INTO payments (status, amount) SELECT 'paid', 1 FROM generate_series(1, 999)"
    )
    sql.execute("ANALYZE payments")
    few = judged(CHECK, gathered(CHECK, ctx()), rows={"warn": 500})
    assert_warn(few, "no index on payments.created_at, payments.status")
    sql.execute("CREATE INDEX ON payments (created_at); CREATE INDEX ON payments (lower(status))")
    assert_ok(judged(CHECK, gathered(CHECK, ctx()), rows={"warn": 500}), "3 indexes")
    with pytest.raises(psycopg.errors.UniqueViolation):
        sql.execute("CREATE UNIQUE INDEX CONCURRENTLY half_made ON payments (amount)")
    assert_warn(judged(CHECK, gathered(CHECK, ctx())), "1 index invalid: half_made")


def test_what_is_looked_at(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    sql.execute('CREATE TABLE "Odd.Log" (eid text PRIMARY KEY, at timestamptz)')
    log = {"table": "Odd.Log", "columns": {"event_id": "eid", "received_at": "at"}}
    try:
        found = gathered(CHECK, ctx(event_logs={"log": log}))
    finally:
        sql.execute('DROP TABLE "Odd.Log"')
    assert found.wanted == {
        "payments": {"created_at": "created_at", "status": "status"},
        "Odd.Log": {"event_id": "eid"},
    }
    assert [one.table for one in found.indexes if one.columns == ["eid"]] == ["Odd.Log"]


def test_nothing_is_mapped() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
