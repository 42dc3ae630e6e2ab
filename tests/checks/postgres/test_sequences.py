"""Does a key run out of numbers?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.sequences import CHECK, Facts
from payops.sources.postgres_tables import Sequence
from tools import NOW, assert_crit, assert_is, assert_ok, assert_skip, gathered, judged


def sequence(last: int | None, **given: Any) -> Sequence:
    words = {"schema": "public", "name": "s", "table_name": "payments", "column_name": "id"}
    return Sequence(
        **{**words, "highest": 1000, "last": last, "hidden": False, "cycles": False, **given}
    )


@pytest.mark.parametrize(
    ("last", "given", "status"),
    [
        (None, {}, "OK"),
        (750, {}, "OK"),
        (751, {}, "WARN"),
        (900, {}, "WARN"),
        (901, {}, "CRIT"),
        (999, {"cycles": True}, "OK"),
    ],
)
def test_limits(last: int | None, given: dict[str, Any], status: str) -> None:
    result = judged(CHECK, Facts(NOW, (sequence(last, **given), sequence(1)), "payops"))
    assert_is(status, result, "the fullest at")
    assert bool(result.evidence) == bool(result.actions) == (status != "OK")


def test_none_and_hidden() -> None:
    assert_ok(judged(CHECK, Facts(NOW, (), "payops")), "no sequence")
    hidden = Facts(NOW, (sequence(None, hidden=True), sequence(2)), "payops")
    assert_skip(judged(CHECK, hidden), "1 of 2 sequences may not be read")
    full = Facts(NOW, (sequence(None, hidden=True), sequence(999)), "payops")
    assert_crit(judged(CHECK, full))


def test_a_real_one_ends_with_its_integer_column(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    sql.execute("SELECT setval('payments_id_seq', 2000000000)")
    assert_crit(judged(CHECK, gathered(CHECK, ctx())), "at 93 %: payments_id_seq (of payments.id)")
    sql.execute(
        "ALTER SEQUENCE payments_id_seq AS bigint; ALTER TABLE payments ALTER id TYPE bigint"
    )
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "the fullest at 0 %")
    sql.execute("ALTER TABLE payments ALTER id TYPE int USING 1")  # the sequence stays a bigint
    assert_crit(judged(CHECK, gathered(CHECK, ctx())), "at 93 %")


def test_what_a_role_may_not_read(ctx: Ask, sql: psycopg.Connection[Any]) -> None:
    result = judged(CHECK, gathered(CHECK, ctx("plain")))
    assert_skip(result, "may not be read")
    sql.execute(result.actions[0].text.partition(": ")[2].encode())
    assert_ok(judged(CHECK, gathered(CHECK, ctx("plain"))))
