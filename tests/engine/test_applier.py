"""Compare-and-set on a real Postgres: each type, each refusal, each way to be interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from changes import Shop, why, words
from payops.domain.plan import Change
from payops.domain.plan_outcome import Outcome, Result
from payops.engine.applier import Choice, apply_plan
from payops.engine.journal import Journal
from payops.errors import FailedError, RefusedError, UsageError
from payops.sources.writer import PostgresWriter

# type of the column, a value as the database writes it, another one
TYPES = [
    ("text", "a", "b"),
    ("text", "it's \\ 100%", "%(x)s {} \u202e\n'\\ \U000e0001"),
    ("varchar(5)", "a", "abcde"),
    ("char(4)", "ab", "abcd"),
    ('"char"', "a", "b"),
    ("numeric(12,2)", "10.00", "10.50"),
    ("numeric", "10.0", "10.00"),
    ("double precision", "0.1", "19.99"),
    ("real", "0.1", "19.99"),
    ("bigint", "9007199254740993", "9007199254740994"),
    ("smallint", "-1", "2"),
    ("boolean", "false", "true"),
    ("uuid", "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"),
    ("timestamptz", "2026-02-11 09:30:00.123456+00", "2026-07-01 00:00:00+00"),
    ("timestamp", "2026-02-11 09:30:00", "2026-02-11 09:30:00.000001"),
    ("timestamptz", "infinity", "2026-07-01 00:00:00+00"),
    ("date", "2026-02-11", "2026-02-12"),
    ("time", "09:30:00", "09:31:00"),
    ("interval", "1 day 02:00:00", "3 days"),
    ("jsonb", '{"a": 1, "b": [null]}', '{"a": 2}'),
    ("json", '{ "a":1}', '{"a":1}'),
    ("bytea", "\\xdead", "\\x00"),
    ("text[]", '{a,"b c",NULL}', "{}"),
    ("integer[]", "{1,2}", "{1,2,3}"),
    ("bit(3)", "101", "111"),
    ("inet", "10.0.0.1/32", "10.0.0.0/8"),
    ("money", "$1.50", "$2.00"),
    ("int4range", "[1,3)", "[1,4)"),
    ("state", "pending", "Über's"),
    ("positive", "1", "2"),
]


def one_row(shop: Shop, kind: str, value: str | None) -> None:
    shop.sql.execute("CREATE TYPE state AS ENUM ('pending', 'Über''s')")
    shop.sql.execute("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
    shop.sql.execute(f"CREATE TABLE t (id bigint PRIMARY KEY, value {kind})")  # type: ignore[arg-type]
    shop.sql.execute(
        f"INSERT INTO t VALUES (1, CAST(%s::text AS {kind}))",  # type: ignore[arg-type]
        (value,),
    )


@pytest.mark.parametrize(("kind", "old", "new"), TYPES)
def test_every_type_is_compared_and_set_exactly_null_too(
    shop: Shop, kind: str, old: str, new: str
) -> None:
    one_row(shop, kind, old)
    plan = shop.plan(shop.change({"id": "1"}, {"value": old}, {"value": new}, table="t"))
    assert words(shop.apply(plan, dry_run=True)) == ["would be done"]
    assert shop.value("SELECT value::text FROM t") == old
    assert words(shop.apply(plan)) == ["done"]
    assert shop.value("SELECT value::text FROM t") == new
    back = shop.plan(shop.change({"id": "1"}, {"value": new}, {"value": old}, table="t", id="b"))
    assert words(shop.apply(back)) == ["done"]
    assert shop.value("SELECT value::text FROM t") == old
    shop.sql.execute("UPDATE t SET value = NULL")
    to = shop.change({"id": "1"}, {"value": None}, {"value": new}, table="t")
    from_ = shop.change({"id": "1"}, {"value": new}, {"value": None}, table="t", id="back")
    assert words(shop.apply(shop.plan(to, from_))) == ["done", "done"]
    assert shop.value("SELECT value FROM t") is None


@pytest.mark.parametrize("kind", ["uuid", "text", "bigint", "varchar(40)", "state", "numeric"])
def test_every_type_of_key(shop: Shop, kind: str) -> None:
    shop.sql.execute("CREATE TYPE state AS ENUM ('pending', '7')")
    key = "00000000-0000-0000-0000-000000000007" if kind == "uuid" else "7"
    shop.sql.execute(f"CREATE TABLE t (id {kind} PRIMARY KEY, n int)")  # type: ignore[arg-type]
    shop.sql.execute("INSERT INTO t VALUES (%s, 1)", (key,))
    change = shop.change({"id": key}, {"n": "1"}, {"n": "2"}, table="t")
    assert words(shop.apply(shop.plan(change))) == ["done"]
    assert shop.value("SELECT n FROM t") == 2


def test_the_roles_own_settings_change_nothing(shop: Shop) -> None:
    name = shop.value("SELECT current_database()")
    for setting in (
        "DateStyle = 'SQL, DMY'",
        "TimeZone = 'Asia/Kathmandu'",
        "IntervalStyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "extra_float_digits = 0",
        "default_transaction_read_only = on",
        "synchronous_commit = off",
    ):
        shop.sql.execute(f"ALTER DATABASE {name} SET {setting}")  # type: ignore[arg-type]
    shop.sql.execute(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, f float8, b bytea, i interval)"
    )
    shop.sql.execute(
        "INSERT INTO t VALUES (1, '2026-02-11 09:30+00', 0.30000000000000004, '\\xff', '1d')"
    )
    seen = {
        "at": "2026-02-11 09:30:00+00",
        "f": "0.30000000000000004",
        "b": "\\xff",
        "i": "1 day",
    }
    change = shop.change({"id": "1"}, seen, {"at": "2026-02-12 00:00:00+00"}, table="t")
    assert words(shop.apply(shop.plan(change))) == ["done"]


NO_UPDATES = """
CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN RAISE 'closed for the month'; END$$;
CREATE TRIGGER no BEFORE UPDATE ON payments EXECUTE FUNCTION no()"""
HOSTILE = ['we"ird', "per%cent", "per%(s)s", "{brace}", "sp ace", "semi;--", "é漢", "SELECT", "$1"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_names_whatever_they_hold(shop: Shop, name: str) -> None:
    quoted = psycopg.sql.Identifier(name).as_string(None)
    shop.sql.execute(f"CREATE SCHEMA {quoted}")  # type: ignore[arg-type]
    shop.sql.execute(f"CREATE TYPE public.{quoted} AS ENUM ('a', 'b')")  # type: ignore[arg-type]
    shop.sql.execute(
        f"CREATE TABLE {quoted}.{quoted} (k text PRIMARY KEY,"  # type: ignore[arg-type]
        f" {quoted} public.{quoted})"
    )
    shop.sql.execute(
        f"INSERT INTO {quoted}.{quoted} VALUES ({psycopg.sql.Literal(name).as_string(None)}, 'a')"  # type: ignore[arg-type]
    )
    change = shop.change({"k": name}, {name: "a"}, {name: "b"}, table=f"{name}.{name}")
    assert words(shop.apply(shop.plan(change))) == ["done"]
    shop.sql.execute(f"UPDATE {quoted}.{quoted} SET {quoted} = 'a'")  # type: ignore[arg-type]
    shop.sql.execute(change.statement)  # type: ignore[arg-type]  # what is shown does the same
    assert shop.value(f"SELECT {quoted}::text FROM {quoted}.{quoted}") == "b"


def test_the_statement_shown_is_the_statement_run(shop: Shop) -> None:
    ids = shop.payments(1)
    change = shop.change({"id": ids[0]}, {"status": "pending"}, {"status": "it's"})
    told = replace(change, statement="SELECT 'nothing to see'")
    applied = shop.apply(shop.plan(told))
    assert words(applied) == ["refused"]
    assert "not what would run" in why(applied)
    assert shop.value("SELECT status FROM payments") == "pending"


def test_applied_twice_nothing_is_done_twice(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(3)))
    first, second = shop.apply(plan), shop.apply(plan)
    assert (words(first), first.exit_code) == (["done"] * 3, 0)
    assert (words(second), second.exit_code) == (["already done"] * 3, 0)
    assert shop.value("SELECT sum(done) FROM payments") == 3


def test_another_plan_of_the_same_changes_finds_them_done(shop: Shop) -> None:
    changes = shop.succeed(shop.payments(2))
    shop.apply(shop.plan(*changes))
    assert words(shop.apply(shop.plan(*changes, command="again"))) == ["already done"] * 2
    assert shop.value("SELECT sum(done) FROM payments") == 2


def test_what_was_put_back_is_not_done_again_by_the_same_plan(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    shop.apply(plan)
    shop.sql.execute("UPDATE payments SET status = 'pending'")
    applied = shop.apply(plan)
    assert words(applied) == ["refused"]
    assert "put it back since" in why(applied)


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        ("UPDATE payments SET status = 'failed'", "status is 'failed', was 'pending'"),
        ("UPDATE payments SET amount = 10.01", "amount is '10.01', was '10.00'"),
        ("UPDATE payments SET amount = NULL", "amount is NULL"),
        ("DELETE FROM payments", "gone"),
    ],
)
def test_a_row_that_changed_is_refused_and_told(shop: Shop, meanwhile: str, said: str) -> None:
    ids = shop.payments(1)
    shop.sql.execute("ALTER TABLE payments ALTER amount DROP NOT NULL")
    plan = shop.plan(*shop.succeed(ids))
    shop.sql.execute(meanwhile)  # type: ignore[arg-type]
    before = shop.rows()
    applied = shop.apply(plan)
    assert (words(applied), applied.exit_code) == (["refused"], 1)
    assert said in why(applied)
    assert shop.rows() == before


def test_a_key_that_finds_two_rows_is_refused(shop: Shop) -> None:
    shop.sql.execute("CREATE TABLE t (ref text, n int); INSERT INTO t VALUES ('a', 1), ('a', 1)")
    change = shop.change({"ref": "a"}, {"n": "1"}, {"n": "2"}, table="t")
    applied = shop.apply(shop.plan(change))
    assert (words(applied), why(applied)) == (["refused"], "the key finds more than one row")


@pytest.mark.parametrize("unique", [True, False])
def test_an_insert_is_done_once(shop: Shop, unique: bool) -> None:
    index = "UNIQUE" if unique else ""
    shop.sql.execute(
        f"CREATE TABLE refunds (id serial, ref text {index}, amount numeric(9,2),"  # type: ignore[arg-type]
        " s text DEFAULT 'x')"
    )
    row = {"ref": "re_1", "amount": "5.00"}
    change = shop.change({"ref": "re_1"}, {}, row, table="refunds")
    assert words(shop.apply(shop.plan(change), dry_run=True)) == ["would be done"]
    assert words(shop.apply(shop.plan(change))) == ["done"]
    assert words(shop.apply(shop.plan(change, command="again"))) == ["already done"]
    assert shop.value("SELECT count(*) FROM refunds") == 1
    shop.sql.execute("UPDATE refunds SET amount = 4")
    applied = shop.apply(shop.plan(change, command="once more"))
    assert words(applied) == ["refused"]
    assert "amount is '4.00', was '5.00'" in why(applied)


def test_an_insert_waits_for_one_of_the_application_where_no_index_guards(shop: Shop) -> None:
    """The webhook arrives at last, at the same time."""
    shop.sql.execute("CREATE TABLE refunds (ref text, amount int)")
    change = shop.change({"ref": "re_1"}, {}, {"ref": "re_1", "amount": "5"}, table="refunds")
    plan = shop.plan(change)
    with psycopg.connect(shop.dsn) as application:
        application.execute("INSERT INTO refunds VALUES ('re_1', 5)")
        applied = shop.apply(plan)
        assert (words(applied), applied.exit_code) == (["failed"], 2)
        assert "lock timeout" in why(applied)
    assert words(shop.apply(plan)) == ["already done"]
    assert shop.value("SELECT count(*) FROM refunds") == 1


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("ALTER TABLE payments ADD CHECK (status <> 'succeeded')", "check constraint"),
        ("CREATE UNIQUE INDEX ON payments (status)", "duplicate key"),
        (
            NO_UPDATES,
            "closed for the month",
        ),
    ],
)
def test_the_databases_own_rules_stand(shop: Shop, rule: str, said: str) -> None:
    ids = shop.payments(2)
    shop.sql.execute("UPDATE payments SET status = 'succeeded' WHERE id = %s", (ids[1],))
    plan = shop.plan(*shop.succeed(ids)[:1])
    if "CHECK" in rule:
        shop.sql.execute("DELETE FROM payments WHERE status = 'succeeded'")
    shop.sql.execute(rule)  # type: ignore[arg-type]
    applied = shop.apply(plan)
    assert (words(applied), applied.exit_code) == (["refused"], 1)
    assert said in why(applied)
    assert words(shop.apply(plan, dry_run=True)) == ["refused"]


def test_a_constraint_that_is_looked_at_last_is_met_too(shop: Shop) -> None:
    ids = shop.payments(1)
    shop.sql.execute(
        "CREATE TABLE states (name text PRIMARY KEY); INSERT INTO states VALUES ('pending');"
        "ALTER TABLE payments ADD FOREIGN KEY (status) REFERENCES states"
        " DEFERRABLE INITIALLY DEFERRED"
    )
    applied = shop.apply(shop.plan(*shop.succeed(ids)))
    assert words(applied) == ["refused"]
    assert "foreign key" in why(applied)


def test_what_a_trigger_makes_of_it_is_told(shop: Shop) -> None:
    ids = shop.payments(1)
    change = shop.change(
        {"id": ids[0]},
        {"status": "pending", "updated_at": "2026-02-11 09:30:00+00"},
        {"status": "succeeded", "updated_at": "2026-02-11 10:00:00+00"},
    )
    shop.sql.execute(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.updated_at := '2026-03-01+00'; RETURN NEW; END$$;"
        "CREATE TRIGGER touch BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch()"
    )
    applied = shop.apply(shop.plan(change))
    assert words(applied) == ["done"]
    assert "updated_at '2026-03-01 00:00:00+00'" in why(applied)


def test_a_locked_row_fails_in_time_and_is_done_later(shop: Shop) -> None:
    ids = shop.payments(2)
    plan = shop.plan(*shop.succeed(ids))
    with psycopg.connect(shop.dsn) as other:
        other.execute("SELECT FROM payments WHERE id = %s FOR UPDATE", (ids[0],))
        began = time.monotonic()
        applied = shop.apply(plan)
        assert time.monotonic() - began < 3
    assert (words(applied), applied.exit_code) == (["failed", "done"], 2)
    assert "lock timeout" in why(applied)
    assert words(shop.apply(plan)) == ["done", "already done"]
    assert shop.value("SELECT sum(done) FROM payments") == 2


def test_limit_and_only(shop: Shop) -> None:
    ids = shop.payments(5)
    plan = shop.plan(*shop.succeed(ids))
    assert words(shop.apply(plan, limit=2)) == ["done", "done"]
    second = shop.apply(plan, limit=2)
    assert words(second) == ["already done", "already done", "done", "done"]
    assert [change.id for change in second.untried] == [f"test:{ids[4]}"]
    assert words(shop.apply(plan, only=(f"*{ids[4]}",))) == ["done"]
    with pytest.raises(UsageError, match="matches no change"):
        shop.apply(plan, only=("nothing*",))


@pytest.mark.parametrize(
    ("ddl", "said"),
    [
        ("ALTER TABLE payments RENAME TO gone", "does not exist"),
        ("ALTER TABLE payments RENAME status TO state", "has no column"),
        ("ALTER TABLE payments ALTER status TYPE varchar(20)", "not what would run"),
        (
            "ALTER TABLE payments RENAME TO gone; CREATE VIEW payments AS SELECT * FROM gone",
            "is no table",
        ),
    ],
)
def test_a_table_that_is_another_now(shop: Shop, ddl: str, said: str) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    shop.sql.execute(ddl)  # type: ignore[arg-type]
    applied = shop.apply(plan)
    assert applied.exit_code in {1, 2}
    assert said in why(applied)


def test_a_role_that_may_not_write_fails_with_the_grant_to_ask_for(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    shop.sql.execute("CREATE ROLE clerk LOGIN PASSWORD 'x12345'; GRANT SELECT ON payments TO clerk")
    try:
        user = shop.dsn.split("//")[1].split("@")[0]
        clerk = replace(shop, dsn=shop.dsn.replace(user, "clerk:x12345"))
        applied = clerk.apply(plan)
        assert (words(applied), applied.exit_code) == (["failed"], 2)
        assert "permission denied" in why(applied)
    finally:
        shop.sql.execute("DROP OWNED BY clerk; DROP ROLE clerk")


def test_a_role_with_rights_to_some_columns_is_enough(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    shop.sql.execute(
        "CREATE ROLE teller LOGIN PASSWORD 'x12345';"
        "GRANT SELECT (id, status, amount), UPDATE (status) ON payments TO teller"
    )
    try:
        user = shop.dsn.split("//")[1].split("@")[0]
        assert words(replace(shop, dsn=shop.dsn.replace(user, "teller:x12345")).apply(plan)) == [
            "done"
        ]
    finally:
        shop.sql.execute("DROP OWNED BY teller; DROP ROLE teller")


class KilledError(Exception):
    """As if killed here."""


class Dying(Journal):
    """A journal in whose process the power goes out at one line."""

    def __init__(self, journal: Journal, kind: str, after: bool) -> None:
        super().__init__(journal.folder)
        self._dies, self._after = kind, after

    def append(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if kind == self._dies and not self._after:
            raise KilledError
        entry = super().append(kind, body)
        if kind == self._dies:
            raise KilledError
        return entry


@pytest.mark.parametrize(
    ("kind", "after", "told"),
    [
        ("apply", True, ["done", "done"]),
        ("intent", False, ["done", "done"]),
        ("intent", True, ["done", "done"]),
        ("outcome", False, ["already done", "done"]),
        ("outcome", True, ["already done", "done"]),
    ],
)
def test_dead_at_each_line_every_change_is_done_once(
    shop: Shop, kind: str, after: bool, told: list[str]
) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(2)))
    settings = shop.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")
    with pytest.raises(KilledError):
        apply_plan(plan, writer, Dying(shop.journal, kind, after), Choice(), who="a@b")
    writer.close()
    assert words(shop.apply(plan)) == told
    assert shop.value("SELECT array_agg(done) FROM payments") == [1, 1]
    entries = shop.journal.trusted().entries
    ends = [e["intent"] for e in entries if e["kind"] == "outcome" and e["intent"]]
    assert sorted(ends) == [e["seq"] for e in entries if e["kind"] == "intent"]
    if (kind, after) == ("intent", True):
        assert "not done" in {e["result"] for e in entries if e["kind"] == "outcome"}


@pytest.mark.parametrize("kind", ["intent", "outcome"])
def test_dead_and_the_row_changed_before_the_next_run(shop: Shop, kind: str) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    settings = shop.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")
    with pytest.raises(KilledError):
        apply_plan(plan, writer, Dying(shop.journal, kind, kind == "intent"), Choice(), who="a@b")
    writer.close()
    shop.sql.execute("UPDATE payments SET status = 'refunded'")
    applied = shop.apply(plan)
    resolved = next(e for e in shop.journal.read().entries if e["kind"] == "outcome")
    if kind == "intent":
        assert (resolved["result"], words(applied)) == ("not done", ["refused"])
    else:
        assert resolved["result"] == "done"
        assert "its transaction was committed; the row has been changed since" in resolved["why"]
        assert words(applied) == ["already done"]


def test_an_interrupted_change_of_a_table_that_is_gone_blocks_nothing(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    settings = shop.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")
    with pytest.raises(KilledError):
        apply_plan(plan, writer, Dying(shop.journal, "outcome", False), Choice(), who="a@b")
    writer.close()
    shop.sql.execute("DROP TABLE payments; DROP FUNCTION count_up")
    shop.sql.execute("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1)")
    other = shop.plan(shop.change({"id": "1"}, {"n": "1"}, {"n": "2"}, table="t"))
    assert words(shop.apply(other)) == ["done"]
    outcome = next(e for e in shop.journal.read().entries if e["kind"] == "outcome")
    assert (outcome["result"], outcome["plan"]) == ("done", plan.digest)


@pytest.mark.parametrize(
    ("ended", "seen", "result"),
    [
        ("committed", Result.ALREADY, "done"),
        ("committed", Result.WOULD, "done"),
        ("committed", Result.REFUSED, "done"),
        ("aborted", Result.ALREADY, "not done"),
        ("aborted", Result.WOULD, "not done"),
        ("aborted", Result.REFUSED, "not done"),
        ("", Result.ALREADY, "done"),
        ("", Result.WOULD, "not done"),
        ("", Result.REFUSED, "not known"),
        ("", Result.FAILED, "not known"),
    ],
)
def test_what_became_of_an_interrupted_change(ended: str, seen: Result, result: str) -> None:
    from payops.engine.applier import _resolved

    change = Change("a", "test", "t", {"id": "1"}, {"n": "1"}, {"n": "2"}, "", "")
    outcome, word = _resolved(change, ended, Outcome(seen))
    assert (word or outcome.result.value) == result


class LostInCommit(PostgresWriter):
    """The connection goes with the answer to COMMIT."""

    def apply(self, change: Change, ready: Any, *, dry_run: bool = False) -> Outcome:
        outcome = super().apply(change, ready, dry_run=dry_run)
        if outcome.result is Result.DONE:
            return Outcome(Result.UNKNOWN, "lost")
        return outcome


def test_a_connection_lost_in_commit_is_resolved_by_the_transactions_number(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    settings = shop.settings().postgres
    assert settings is not None
    writer = LostInCommit(settings, "a@b")
    applied = apply_plan(plan, writer, shop.journal, Choice(), who="a@b")
    writer.close()
    assert words(applied) == ["done"]
    assert "transaction was committed" in why(applied)


def test_the_second_operator_is_told_who_and_since_when(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    settings = shop.settings().postgres
    assert settings is not None
    first = PostgresWriter(settings, "ann@bastion")
    first.take_lock()
    with pytest.raises(
        RefusedError, match=r"payops apply ann@bastion \(role .*, pid \d+\), since 2"
    ):
        shop.apply(plan)
    assert shop.value("SELECT sum(done) FROM payments") == 0
    first.close()
    assert words(shop.apply(plan)) == ["done"]


def test_many_at_once_do_each_change_once(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(20)))
    ends: list[str] = []

    def run() -> None:
        try:
            ends.append(" ".join(sorted(set(words(shop.apply(plan))))))
        except RefusedError:
            ends.append("told")

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "done" in ends
    assert set(ends) <= {"done", "told", "already done"}
    assert shop.value("SELECT array_agg(DISTINCT done) FROM payments") == [1]
    assert shop.journal.read().broken is None


def test_a_lock_that_is_lost_ends_the_run(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(3)))
    settings = shop.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")

    def cut(change: Change, outcome: Outcome) -> None:
        shop.sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'payops apply%'"
        )

    applied = apply_plan(plan, writer, shop.journal, Choice(), who="a@b", told=cut)
    writer.close()
    assert (words(applied), applied.exit_code) == (["done"], 2)
    assert len(applied.untried) == 2
    assert "database went away" in applied.stopped
    assert words(shop.apply(plan)) == ["already done", "done", "done"]


def test_stopped_between_two_changes(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(3)))
    settings = shop.settings().postgres
    assert settings is not None
    writer = PostgresWriter(settings, "a@b")
    seen: list[Change] = []
    applied = apply_plan(
        plan,
        writer,
        shop.journal,
        Choice(),
        who="a@b",
        stop=lambda: len(seen) == 1,
        told=lambda change, outcome: seen.append(change),
    )
    writer.close()
    assert (words(applied), applied.exit_code) == (["done"], 130)
    assert len(applied.untried) == 2


def test_a_journal_that_cannot_be_written_changes_nothing(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(1)))
    (shop.folder / "state").write_text("a file where the folder should be")
    with pytest.raises(FailedError, match="cannot be used"):
        shop.apply(plan)
    assert shop.value("SELECT sum(done) FROM payments") == 0


def test_a_touched_journal_changes_nothing(shop: Shop) -> None:
    plan = shop.plan(*shop.succeed(shop.payments(2)))
    shop.apply(plan, limit=1)
    path = shop.journal.path
    path.write_bytes(path.read_bytes().replace(b'"done"', b'"lost"', 1))
    with pytest.raises(RefusedError, match="was edited"):
        shop.apply(plan)
    assert shop.value("SELECT sum(done) FROM payments") == 1
