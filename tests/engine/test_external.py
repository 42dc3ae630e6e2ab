"""`reconcile external` on BookedBarber's tables in a real Postgres: healthy is OK, each fault is
found, nothing else is."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.external import Sale
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.external import reconcile_external
from payops.errors import ConfigError
from payops.formats import FORMATS, render
from payops.lab.history import HistoryPlan, tell
from payops.lab.history.load import run_schema, write_tables
from payops.lab.servers.postgres import PostgresServer
from payops.lab.systems import system
from payops.reconcile.external_commission import judge_commission
from payops.reconcile.external_terms import Terms, commission_due
from tools import assert_crit, assert_money, assert_ok, assert_skip, assert_unknown, assert_warn

SHAPES = ("bookedbarber", "bookedbarber-migrated")


@dataclass(frozen=True)
class Barbers:
    """A BookedBarber with a told history; every test has its own."""

    dsn: str
    upper: bool

    def run(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    def one(self, query: str) -> Any:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            found = connection.execute(query.encode()).fetchone()
            assert found is not None
            return found[0] if len(found) == 1 else found

    def settings(self, **more: Any) -> Settings:
        return settings_from({"preset": "bookedbarber", "postgres": {"dsn": self.dsn}, **more})

    def report(self, window: Window | None = None, **more: Any) -> Report:
        return reconcile_external(self.settings(**more), window, Deadline.after(20))

    def checks(self, window: Window | None = None, **more: Any) -> dict[str, CheckResult]:
        return {check.id: check for check in self.report(window, **more).checks}

    def word(self, word: str) -> str:
        return word.upper() if self.upper else word


@pytest.fixture(scope="module", params=SHAPES)
def template(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[tuple[str, bool]]:
    name, made = f"outside_{secrets.token_hex(4)}", system(request.param)
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name}".encode())
        dsn = server.dsn.rpartition("/")[0] + f"/{name}"
        run_schema(dsn, made.statements())
        plan = HistoryPlan(120, timedelta(days=3), datetime.now(UTC), 3, livemode=False)
        write_tables(made.tables(tell(made.plan(plan))), dsn)
        yield name, request.param == "bookedbarber"
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def barbers(server: PostgresServer, template: tuple[str, bool]) -> Iterator[Barbers]:
    name, (from_, upper) = f"outside_{secrets.token_hex(4)}", template
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name} TEMPLATE {from_}".encode())
        yield Barbers(server.dsn.rpartition("/")[0] + f"/{name}", upper)
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


TOTALS, COLLECTIONS, COMMISSION = "external.totals", "external.collections", "external.commission"


def only(checks: dict[str, CheckResult], *wrong: str) -> None:
    """Every other check is OK."""
    for id_, result in checks.items():
        if id_ not in wrong:
            assert_ok(result)


def test_a_healthy_system_is_ok(barbers: Barbers) -> None:
    report = barbers.report()
    checks = {check.id: check for check in report.checks}
    assert list(checks) == [TOTALS, COLLECTIONS, COMMISSION]
    assert_ok(checks[TOTALS], "3 connections", "24 completed transactions", "each total agrees")
    assert_ok(checks[COLLECTIONS], "each names a transaction that exists")
    assert_ok(checks[COMMISSION], "24 commissions reckoned anew, half up: each agrees")
    assert report.status is Status.OK
    assert report.extra["collections"] == report.extra["transactions"] == []
    connections: Any = report.extra["connections"]
    assert sum(one["completed"]["transactions"] for one in connections) == 24
    assert all(one["difference"]["volume"]["minor"] == 0 for one in connections)


# ── totals ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "words", "money", "looks_like"),
    [
        ("total_transactions = total_transactions + 2", "", [], "only the count is off"),
        ("total_volume = total_volume + 0.01", "0.01 USD too much", ["0.01 USD (1)"], ""),
        ("total_volume = total_volume - 7", "7.00 USD too little", ["7.00 USD (1)"], ""),
        ("total_transactions = 0, total_volume = 0", "too little", None, "nothing was ever"),
    ],
)
def test_a_connection_that_records_something_else(
    barbers: Barbers, change: str, words: str, money: list[str] | None, looks_like: str
) -> None:
    barbers.run(f"UPDATE payment_processor_connections SET {change} WHERE id = 2")
    checks = barbers.checks()
    assert_warn(checks[TOTALS], "1 of 3 connections is not the sum of transactions", words)
    assert len(checks[TOTALS].evidence) == 1
    assert checks[TOTALS].evidence[0].what.startswith("connection 2: ")
    assert looks_like in checks[TOTALS].evidence[0].what
    if money is not None:
        assert_money(checks[TOTALS], *money)
    only(checks, TOTALS)


def test_what_floating_point_adds_is_no_difference(barbers: Barbers) -> None:
    barbers.run("UPDATE payment_processor_connections SET total_volume = total_volume + 1e-9")
    only(barbers.checks())


def test_both_signs_stand_apart_and_never_cancel_out(barbers: Barbers) -> None:
    barbers.run(
        "UPDATE payment_processor_connections SET total_volume = total_volume + 5 WHERE id = 1"
    )
    barbers.run(
        "UPDATE payment_processor_connections SET total_volume = total_volume - 5 WHERE id = 3"
    )
    checks = barbers.checks()
    assert_warn(checks[TOTALS], "5.00 USD too much, 5.00 USD too little")
    assert_money(checks[TOTALS], "10.00 USD (2)")


def test_pending_and_failed_transactions_are_not_counted(barbers: Barbers) -> None:
    barbers.run(
        "UPDATE external_transactions SET status = 'PENDING', commission_collected = false "
        "WHERE id = (SELECT max(id) FROM external_transactions WHERE connection_id = 1)"
    )
    checks = barbers.checks()
    assert_warn(checks[TOTALS], "1 of 3 connections")
    assert "exactly the 1 that are not completed were recorded too" in (
        checks[TOTALS].evidence[0].what
    )
    only(checks, TOTALS)


def test_a_status_that_is_not_mapped_is_named(barbers: Barbers) -> None:
    barbers.run(
        "UPDATE external_transactions SET status = 'odd' "
        "WHERE id = (SELECT max(id) FROM external_transactions)"
    )
    assert_warn(barbers.checks()[TOTALS], "1 with a status that is not mapped: 'odd'")


def test_transactions_of_a_connection_that_is_gone(barbers: Barbers) -> None:
    """No foreign key keeps it, after a restore without one."""
    barbers.run(
        "ALTER TABLE external_transactions DROP CONSTRAINT external_transactions_connection_id_fkey"
    )
    barbers.run(
        "ALTER TABLE platform_collections DROP CONSTRAINT platform_collections_connection_id_fkey"
    )
    count = barbers.one("SELECT count(*) FROM external_transactions WHERE connection_id = 2")
    asked = barbers.one("SELECT count(*) FROM platform_collections WHERE connection_id = 2")
    barbers.run("DELETE FROM payment_processor_connections WHERE id = 2")
    checks = barbers.checks()
    assert_crit(checks[TOTALS], f"{count} transactions of connections that do not exist")
    assert_crit(checks[COLLECTIONS], f"{asked} connection_missing")
    only(checks, TOTALS, COLLECTIONS)


def test_a_net_that_is_not_amount_less_fee(barbers: Barbers) -> None:
    barbers.run("UPDATE external_transactions SET net_amount = net_amount - 1 WHERE id = 1")
    checks = barbers.checks()
    assert_warn(checks[TOTALS], "the net of 1 is not amount less fee")
    only(checks, TOTALS)


def test_two_currencies_in_one_volume_cannot_be_compared(barbers: Barbers) -> None:
    barbers.run(
        "UPDATE external_transactions SET currency = 'EUR' "
        "WHERE id = (SELECT max(id) FROM external_transactions)"
    )
    assert_ok(barbers.checks()[TOTALS], "the volume of 1 cannot be compared")


# ── collections ──────────────────────────────────────────────────────────────────────────────────

ONE = "(SELECT min(id) FROM platform_collections WHERE collection_type::text ILIKE 'commission')"


def break_link(barbers: Barbers) -> None:
    barbers.run(
        "ALTER TABLE platform_collections DROP CONSTRAINT "
        "platform_collections_external_transaction_id_fkey"
    )


def test_a_collection_of_a_transaction_that_does_not_exist(barbers: Barbers) -> None:
    break_link(barbers)
    barbers.run(
        f"UPDATE platform_collections SET external_transaction_id = 990001, amount = 12.34 "
        f"WHERE id = {ONE}"
    )
    checks = barbers.checks()
    result = checks[COLLECTIONS]
    assert_crit(result, "1 of ", "1 transaction_missing")
    assert_money(result, "12.34 USD (1)")
    assert result.evidence[0].what == (
        f"collection {barbers.one('SELECT min(id) FROM platform_collections')} 12.34 USD: "
        "names transaction 990001, which does not exist"
    )
    only(checks, COLLECTIONS)


def test_a_collection_of_another_connection_and_of_another_barber(barbers: Barbers) -> None:
    id_, of = barbers.one(f"SELECT id, connection_id FROM platform_collections WHERE id = {ONE}")
    barbers.run(f"UPDATE platform_collections SET connection_id = {of % 3 + 1} WHERE id = {id_}")
    barbers.run(
        "UPDATE platform_collections SET barber_id = 1 "
        "WHERE id = (SELECT max(id) FROM platform_collections)"
    )
    found: Any = barbers.report().extra["collections"]
    assert {(one["id"], *one["wrong"]) for one in found} == {
        (str(id_), "other_connection"),
        (str(barbers.one("SELECT max(id) FROM platform_collections")), "other_owner"),
    }


@pytest.mark.parametrize(("off", "words"), [("+ 0.01", "0.01 USD (1)"), ("- 2", "2.00 USD (1)")])
def test_a_collection_of_another_amount(barbers: Barbers, off: str, words: str) -> None:
    barbers.run(
        f"UPDATE platform_collections SET amount = amount {off}, "
        f"status = '{barbers.word('pending')}' WHERE id = {ONE}"
    )
    checks = barbers.checks()
    assert_crit(checks[COLLECTIONS], "1 amount_differs")
    assert_money(checks[COLLECTIONS], words)
    assert checks[COLLECTIONS].actions[0].command == (
        "payops remedy plan collection-amount --save-plan collection-amount.json"
    )
    only(checks, COLLECTIONS)
    barbers.run(
        f"UPDATE platform_collections SET status = '{barbers.word('waived')}' WHERE id = {ONE}"
    )
    only(barbers.checks())


def test_rent_has_no_commission_to_be(barbers: Barbers) -> None:
    barbers.run(
        f"UPDATE platform_collections SET amount = 500, external_transaction_id = NULL, "
        f"collection_type = '{barbers.word('booth_rent')}' WHERE id = {ONE}"
    )
    only(barbers.checks())


def test_a_commission_that_names_no_transaction_is_counted(barbers: Barbers) -> None:
    barbers.run(f"UPDATE platform_collections SET external_transaction_id = NULL WHERE id = {ONE}")
    assert_ok(barbers.checks()[COLLECTIONS], "of 1 no transaction is named")


def test_collected_twice_and_for_what_failed(barbers: Barbers) -> None:
    columns = (
        "barber_id, connection_id, external_transaction_id, collection_type, amount, "
        "currency, due_date, grace_period_days, status, retry_count, created_at, updated_at"
    )
    barbers.run(
        f"INSERT INTO platform_collections ({columns}) SELECT {columns} "
        f"FROM platform_collections WHERE id = {ONE}"
    )
    checks = barbers.checks()
    assert_crit(checks[COLLECTIONS], "2 of ", "2 collected_twice")
    only(checks, COLLECTIONS)
    barbers.run(f"DELETE FROM platform_collections WHERE id = {ONE}")
    only(barbers.checks())
    barbers.run(
        "UPDATE external_transactions SET status = 'DECLINED' WHERE id = (SELECT "
        "external_transaction_id FROM platform_collections ORDER BY id DESC LIMIT 1)"
    )
    assert_crit(barbers.checks()[COLLECTIONS], "1 transaction_not_paid")


# ── commission ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "kind", "why"),
    [
        ("commission_amount = commission_amount + 0.01", "differs", ""),
        ("commission_amount = commission_amount - 1", "differs", ""),
        ("commission_amount = 0", "differs", ""),
        ("amount = 19.99, commission_amount = 299.85", "differs", "taken for a fraction"),
        ("amount = 19.99, commission_amount = 2.99", "differs", "cut off"),
        ("amount = 20.50, commission_rate = 5, commission_amount = 1.02", "differs", "cut off"),
        ("amount = 20.50, processing_fee = 10, commission_amount = 1.58", "differs", "less the"),
        ("commission_rate = 150, commission_amount = amount * 1.5", "rate_out", "outside 0..100"),
        ("commission_rate = -1", "rate_out", "outside"),
        ("amount = 'NaN'", "unreadable", "amount is no number"),
    ],
)
def test_a_commission_that_is_not_amount_times_rate(
    barbers: Barbers, change: str, kind: str, why: str
) -> None:
    barbers.run(f"UPDATE external_transactions SET {change} WHERE id = 20")
    report = barbers.report()
    check = {each.id: each for each in report.checks}[COMMISSION]
    assert_crit(check, "1 of 24 commissions is not amount x rate", kind)
    found: Any = report.extra["transactions"]
    assert [one["id"] for one in found] == ["20"]
    assert why in found[0]["why"]
    commands = [action.command for action in check.actions]
    mended = kind == "differs"
    assert commands == ["payops remedy plan commission --save-plan commission.json"] * mended


@pytest.mark.parametrize(
    "change",
    [
        "amount = 20.50, commission_rate = 5, commission_amount = 1.03",  # 1.025, half up
        "amount = 0.07, commission_rate = 50, commission_amount = 0.04",  # 0.035
        "amount = 1.005, commission_rate = 100, commission_amount = 1.01",  # no float is that
        "commission_amount = 0, status = 'REFUNDED'",
        "amount = 80, refund_amount = 30, commission_rate = 15, commission_amount = 7.5",
        "amount = 0, commission_amount = 0",
        "commission_amount = 77, status = 'FAILED'",
    ],
)
def test_half_a_cent_up_and_refunds_are_right(barbers: Barbers, change: str) -> None:
    barbers.run(f"UPDATE external_transactions SET {change} WHERE id = 20")
    assert_ok(barbers.checks()[COMMISSION], "each agrees")


def test_no_rate_is_said_and_an_unrounded_commission_too(barbers: Barbers) -> None:
    barbers.run("UPDATE external_transactions SET commission_rate = NULL WHERE id IN (19, 20)")
    barbers.run(
        "UPDATE external_transactions SET amount = 19.99, commission_amount = 2.9985 WHERE id = 21"
    )
    check = barbers.checks()[COMMISSION]
    assert_warn(check, "1 is not rounded", "2 without a rate (first: transaction 19)")
    assert_money(check)


def test_columns_of_another_type_read_the_same(barbers: Barbers) -> None:
    """As numeric, and as text; a float that is no exact cent is read by its shortest form."""
    barbers.run(
        "UPDATE external_transactions SET commission_amount = commission_amount + 0.01 "
        "WHERE id = 20"
    )
    for kind in ("numeric(12,4)", "text"):
        for column in (
            "amount",
            "commission_rate",
            "commission_amount",
            "processing_fee",
            "net_amount",
            "refund_amount",
        ):
            barbers.run(
                f"ALTER TABLE external_transactions ALTER {column} DROP DEFAULT, "
                f"ALTER {column} TYPE {kind} USING {column}::text::{kind}"
            )
        barbers.run(
            f"ALTER TABLE platform_collections ALTER amount TYPE {kind} USING amount::text::{kind}"
        )
        checks = barbers.checks()
        assert_crit(checks[COMMISSION], "1 of 24", "0.01 USD too much")
        only(checks, COMMISSION)
    barbers.run("UPDATE external_transactions SET commission_amount = 'a lot' WHERE id = 22")
    assert_crit(barbers.checks()[COMMISSION], "2 of 24", "1 unreadable")


# ── around them ──────────────────────────────────────────────────────────────────────────────────


def test_a_window_is_of_the_rows_not_of_the_totals(barbers: Barbers) -> None:
    barbers.run("UPDATE external_transactions SET commission_amount = 1 WHERE id = 1")
    barbers.run(f"UPDATE platform_collections SET barber_id = 1 WHERE id = {ONE}")
    now = datetime.now(UTC)
    checks = barbers.checks(Window(now - timedelta(hours=1), now))
    only(checks)
    assert_ok(checks[TOTALS], "24 completed transactions")
    checks = barbers.checks(Window(now - timedelta(days=9), now))
    assert checks[COMMISSION].status is checks[COLLECTIONS].status is Status.CRIT


def test_what_is_not_mapped_is_not_used_here(barbers: Barbers) -> None:
    for check in barbers.checks(external=None).values():
        assert_skip(check, "not used here")
    checks = barbers.checks(external={"connections": None, "collections": None})
    assert_skip(checks[TOTALS], "not used here: external.connections")
    assert_skip(checks[COLLECTIONS], "not used here: external.collections")
    assert_ok(checks[COMMISSION])
    checks = barbers.checks(external={"connections": None})
    assert_ok(checks[COLLECTIONS])


def test_a_table_that_is_not_there_hides_no_other(barbers: Barbers) -> None:
    barbers.run("DROP TABLE platform_collections")
    checks = barbers.checks()
    assert_unknown(checks[COLLECTIONS], 'table "platform_collections" does not exist')
    only(checks, COLLECTIONS)


def test_health_s_statement_timeout_is_not_this_one_s(barbers: Barbers) -> None:
    only(barbers.checks(postgres={"dsn": barbers.dsn, "statement_timeout": "1ms"}))


def test_a_ledger_that_is_no_outside_processor_s_is_refused(barbers: Barbers) -> None:
    for name in ("payments", "extern"):
        with pytest.raises(ConfigError, match="no ledger of kind external") as caught:
            barbers.settings(external={"transactions": {"ledger": name}})
        assert caught.value.path == "external.transactions.ledger"


def test_a_database_that_is_not_there(barbers: Barbers) -> None:
    checks = barbers.checks(postgres={"dsn": "postgresql://payops@127.0.0.1:1/none"})
    for check in checks.values():
        assert_crit(check, "could not be told", "connection refused")

    for check in barbers.checks(
        postgres={"dsn": "postgresql://payops@127.0.0.1:1/none"}, unreachable="WARN"
    ).values():
        assert_warn(check, "could not be told", "connection refused")


def test_limits_can_be_moved(barbers: Barbers) -> None:
    barbers.run("UPDATE external_transactions SET commission_amount = 1 WHERE id IN (1, 2)")
    moved = {"external.commission": {"count": {"warn": 1, "crit": 2}}}
    checks = barbers.checks(thresholds=moved)
    assert_warn(checks[COMMISSION], "2 of 24")
    assert checks[COMMISSION].limits["count"].source == "configuration"
    with pytest.raises(ConfigError, match="has no limit"):
        barbers.checks(thresholds={"external.totals": {"commission": {"warn": 1}}})


def test_no_secret_is_read_and_every_format_takes_it(barbers: Barbers) -> None:
    barbers.run("""UPDATE payment_processor_connections SET webhook_secret = 'tell-nobody',
        connection_data = '{"access_token": "tell-nobody"}', total_volume = 1""")
    barbers.run("UPDATE external_transactions SET commission_amount = 1")
    report = barbers.report()
    for output in FORMATS:
        if output != "csv":  # of reconcile's discrepancies alone
            text = render(report, output, colour=False, width=100, now=datetime.now(UTC))
            assert "tell-nobody" not in text
    told = json.loads(render(report, "json", colour=False, width=100, now=datetime.now(UTC)))
    assert told["command"] == "reconcile external"
    assert len(told["transactions"]) == 24
    assert {one["differs"] for one in told["connections"]} == {True}


def test_many_faults_are_bounded_and_said_so(
    barbers: Barbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payops.engine.external_commission.MOST_ROWS", 5)
    monkeypatch.setattr("payops.engine.external_collections.MOST_ROWS", 5)
    barbers.run("UPDATE external_transactions SET commission_amount = 1000")
    barbers.run("UPDATE platform_collections SET amount = 1000")
    checks = barbers.checks()
    assert_crit(checks[COMMISSION], "5 or more of 24")
    assert_crit(checks[COLLECTIONS], "5 or more of")


def test_the_statement_misses_nothing_that_decimal_finds(barbers: Barbers) -> None:
    """PostgreSQL's numeric picks the candidates, Decimal judges: held against each other."""
    rng = random.Random(20260211)
    rows = []
    for number in range(1, 1501):
        amount = Decimal(rng.randrange(0, 10**6)).scaleb(-rng.randrange(0, 5))
        rate = Decimal(rng.choice([*range(120), 12345, 33333])).scaleb(-rng.randrange(0, 4))
        currency = rng.choice(["USD", "jpy", "KWD", None])
        due = commission_due(amount, rate, currency or "usd", Terms())
        stored = due + Decimal(rng.choice([0, 0, 0, 1, -1])).scaleb(-rng.randrange(0, 4))
        status = rng.choice(["completed", "REFUNDED", "pending"])
        refunded = rng.choice([None, 0, 5])
        stored_or_not = rng.choice([stored, stored, stored, None])
        rows.append((number + 1000, amount, currency, rate, stored_or_not, refunded, status))
    barbers.run("TRUNCATE external_transactions CASCADE")
    for column in ("currency", "refund_amount", "commission_amount"):
        barbers.run(f"ALTER TABLE external_transactions ALTER {column} DROP NOT NULL")
    with psycopg.connect(barbers.dsn, autocommit=True) as connection:
        connection.cursor().executemany(
            "INSERT INTO external_transactions (id, connection_id, external_transaction_id, amount,"
            " currency, net_amount, commission_rate, commission_amount, refund_amount, status,"
            " commission_collected, processing_fee, created_at, updated_at) VALUES"
            " (%s, 1, 'x', %s, %s, 0, %s, %s, %s, %s, false, 0, now(), now())",
            rows,
        )
    ledger = barbers.settings().ledgers["external"]
    terms = Terms.of(dict(ledger.statuses), match_case=False)
    expected = {}
    for id_, amount, currency, rate, stored, refunded, status in rows:
        texts = [None if each is None else str(each) for each in (rate, stored, refunded)]
        code = (currency or "usd").lower()
        sale = Sale(str(id_), "1", "x", status, code, str(amount), "0", *texts, False)
        finding = judge_commission(sale, terms) if status != "pending" else None
        if finding is not None:
            expected[str(id_)] = finding.wrong.value
    found: Any = barbers.report().extra["transactions"]
    assert {one["id"]: one["wrong"] for one in found} == expected
    assert len(expected) > 300
