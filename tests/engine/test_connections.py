"""Outside processors on BookedBarber's tables in a real Postgres, both shapes: healthy is OK, each
fault trips its own check alone, and the tables say what to do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.money import Money
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.table import Table
from payops.engine.connections import connections
from payops.errors import UsageError
from payops.formats import FORMATS, render
from payops.lab.history import HistoryPlan, tell
from payops.lab.history.load import run_schema, write_tables
from payops.lab.servers.postgres import PostgresServer
from payops.lab.systems import system
from tools import assert_crit, assert_money, assert_ok, assert_skip, assert_warn

SHAPES = ("bookedbarber", "bookedbarber-migrated")
DAYS = timedelta(days=30)


@dataclass(frozen=True)
class Barbers:
    """A BookedBarber with a told history; every test has its own."""

    dsn: str
    upper: bool

    def run(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("SET TIME ZONE 'America/New_York'")  # the columns are naive UTC
            connection.execute(statement.encode())

    def word(self, word: str) -> str:
        return word.upper() if self.upper else word

    def settings(self, **more: Any) -> Settings:
        return settings_from({"preset": "bookedbarber", "postgres": {"dsn": self.dsn}, **more})

    def report(self, only: str | None = None, **more: Any) -> Report:
        return connections(self.settings(**more), DAYS, Deadline.after(20), only=only)

    def checks(self, **more: Any) -> dict[str, CheckResult]:
        return {check.id.partition(".")[2]: check for check in self.report(**more).checks}

    def collect(self, status: str, minutes: int, count: int = 1, **more: str) -> None:
        """Collections of 3.50 made so many minutes ago."""
        made = f"(now() AT TIME ZONE 'utc') - interval '{minutes} min'"
        given = {
            "barber_id": "2",
            "connection_id": "1",
            "collection_type": f"'{self.word('commission')}'",
            "amount": "3.5",
            "currency": "'USD'",
            "due_date": made,
            "status": f"'{self.word(status)}'",
            "created_at": made,
            "updated_at": made,
            **more,
        }
        self.run(
            f"INSERT INTO platform_collections (id, {', '.join(given)}) SELECT 9000 + n,"
            f" {', '.join(given.values())} FROM generate_series(1, {count}) AS n"
        )


@pytest.fixture(scope="module", params=SHAPES)
def template(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[tuple[str, bool]]:
    name, made = f"state_{secrets.token_hex(4)}", system(request.param)
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name}".encode())
        dsn = server.dsn.rpartition("/")[0] + f"/{name}"
        run_schema(dsn, made.statements())
        plan = HistoryPlan(60, timedelta(days=3), datetime.now(UTC), 3, livemode=False)
        write_tables(made.tables(tell(made.plan(plan))), dsn)
        yield name, request.param == "bookedbarber"
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def barbers(server: PostgresServer, template: tuple[str, bool]) -> Iterator[Barbers]:
    name, (from_, upper) = f"state_{secrets.token_hex(4)}", template
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name} TEMPLATE {from_}".encode())
        yield Barbers(server.dsn.rpartition("/")[0] + f"/{name}", upper)
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def only(checks: dict[str, CheckResult], *wrong: str) -> None:
    """Every other check is OK; without a Stripe nobody is asked about Connect accounts."""
    for id_, result in checks.items():
        if id_ == "accounts":
            assert result.status is Status.SKIP, result.summary
        elif id_ not in wrong:
            assert_ok(result)


def table(report: Report, id_: str) -> Table:
    return next(one for one in report.tables if one.id == id_)


def test_a_healthy_system_is_ok(barbers: Barbers) -> None:
    report = barbers.report()
    assert report.status is Status.OK, [check.summary for check in report.checks]
    assert len(report.checks) == 9
    assert [row[:4] for row in table(report, "connections").rows] == [
        ("1", "2", "square", "connected"),
        ("2", "3", "stripe", "connected"),
        ("3", "4", "paypal", "connected"),
    ]
    assert {row[6] for row in table(report, "connections").rows} == {"-"}
    assert table(report, "open_collections").rows == ()
    assert sum(row[2] for row in table(report, "commissions").rows) == 12  # type: ignore[misc]


def test_one_in_error(barbers: Barbers) -> None:
    barbers.run(
        f"UPDATE payment_processor_connections SET status = '{barbers.word('error')}',"
        " last_error = 'token=tok_1234 refused', error_count = 3 WHERE id = 2"
    )
    checks = barbers.checks()
    only(checks, "connections", "configuration")
    assert_warn(checks["connections"], "2 of 3 connections connected; 1 error")
    assert "remedy plan connections-pending" in checks["connections"].actions[1].command
    # Its owner is paid by nobody else.
    assert_warn(checks["configuration"], "whom nobody can pay")
    todo = table(barbers.report(), "connections").rows[1][6]
    assert str(todo).startswith("find out what failed")


def test_one_that_expired(barbers: Barbers) -> None:
    barbers.run(
        f"UPDATE payment_processor_connections SET status = '{barbers.word('expired')}'"
        " WHERE id = 1"
    )
    checks = barbers.checks()
    only(checks, "tokens")
    assert_warn(checks["tokens"], "1 connection of 3 expired")


@pytest.mark.parametrize(("minutes", "status"), [(24 * 60 - 1, "OK"), (24 * 60 + 1, "WARN")])
def test_one_that_is_silent(barbers: Barbers, minutes: int, status: str) -> None:
    barbers.run(
        "UPDATE payment_processor_connections SET last_transaction_at ="
        f" (now() AT TIME ZONE 'utc') - interval '{minutes} min' WHERE id = 3"
    )
    checks = barbers.checks()
    only(checks, "silent")
    assert checks["silent"].status.value == status


@pytest.mark.parametrize(
    ("change", "words", "short"),
    [
        ("webhook_url = NULL", "1 without a URL", "no URL"),
        ("webhook_secret = NULL", "1 without a secret", "no secret"),
        (
            "webhook_url = 'https://a.example/api/v1/webhooks/external-payment/square'",
            "leads nowhere",
            "dead URL",
        ),
    ],
)
def test_webhooks(barbers: Barbers, change: str, words: str, short: str) -> None:
    barbers.run(f"UPDATE payment_processor_connections SET {change} WHERE id = 1")
    checks = barbers.checks()
    only(checks, "webhooks")
    assert_warn(checks["webhooks"], words)
    assert table(barbers.report(), "connections").rows[0][5] == short


@pytest.mark.parametrize(("minutes", "stuck"), [(119, False), (121, True)])
def test_collections_that_are_stuck(barbers: Barbers, minutes: int, stuck: bool) -> None:
    barbers.collect("processing", minutes, count=2)
    checks = barbers.checks()
    only(checks, "stuck-collections")
    result = checks["stuck-collections"]
    assert (result.status is Status.WARN) is stuck
    assert_money(result, *(["7.00 USD (2)"] if stuck else []))
    rows = table(barbers.report(), "open_collections").rows
    assert [row[4] for row in rows] == [Money("usd", 350)] * 2


@pytest.mark.parametrize(("count", "days", "status"), [(5, 6, "OK"), (6, 6, "WARN"), (6, 8, "OK")])
def test_collections_that_failed(barbers: Barbers, count: int, days: int, status: str) -> None:
    barbers.collect("failed", days * 1440, count, failure_reason="'account closed'")
    checks = barbers.checks()
    only(checks, "failed-collections")
    assert checks["failed-collections"].status.value == status
    if status == "WARN":
        assert "account closed" in checks["failed-collections"].summary


def test_one_that_failed_late_counts_by_its_failure(barbers: Barbers) -> None:
    late = "(now() AT TIME ZONE 'utc') - interval '1 day'"
    barbers.collect("failed", 30 * 1440, 6, failed_at=late)
    assert_warn(barbers.checks()["failed-collections"], "6 collections failed in 7 days")


def test_an_owner_without_a_configuration(barbers: Barbers) -> None:
    barbers.run("DELETE FROM hybrid_payment_configs WHERE barber_id = 2")
    checks = barbers.checks()
    only(checks, "configuration")
    assert_warn(checks["configuration"], "1 paid outside without a configuration")
    assert "payops remedy plan default-config" in checks["configuration"].actions[0].command


def test_amounts_that_make_no_sense_where_they_are_columns(barbers: Barbers) -> None:
    barbers.run(
        "ALTER TABLE hybrid_payment_configs ADD min_external_amount float8,"
        " ADD max_platform_amount float8"
    )
    barbers.run(
        "UPDATE hybrid_payment_configs SET min_external_amount = 1000.5, max_platform_amount = 9.5"
        " WHERE barber_id = 3"
    )
    columns = {"min_external": "min_external_amount", "max_platform": "max_platform_amount"}
    checks = barbers.checks(external={"configs": {"columns": columns}})
    only(checks, "configuration")
    assert_warn(checks["configuration"], "least external amount", "largest platform amount")
    assert checks["configuration"].measured["min_external"] == 1000.5


def test_nothing_taken_in_a_month(barbers: Barbers) -> None:
    barbers.run("UPDATE external_transactions SET created_at = created_at - interval '40 days'")
    checks = barbers.checks()
    only(checks, "volume")
    assert_warn(checks["volume"], "outside processors nothing")


def test_none_of_them_works(barbers: Barbers) -> None:
    barbers.run(f"UPDATE payment_processor_connections SET status = '{barbers.word('error')}'")
    assert_crit(barbers.checks()["connections"], "0 of 3 connections connected")


def test_one_alone(barbers: Barbers) -> None:
    barbers.run("UPDATE payment_processor_connections SET webhook_secret = NULL WHERE id = 1")
    report = barbers.report("2")
    assert report.status is Status.OK, "another's fault is not its own"
    assert {check.id for check in report.checks} == {
        "external.connections",
        "external.silent",
        "external.tokens",
        "external.webhooks",
    }
    assert [row[0] for row in table(report, "connections").rows] == ["2"]
    assert {row[0] for row in table(report, "commissions").rows} == {"2"}
    assert [row[0] for row in table(report, "owners").rows] == ["3"]
    assert barbers.report("1").status is Status.WARN
    with pytest.raises(UsageError, match="no connection '99'"):
        barbers.report("99")
    with pytest.raises(UsageError, match="no connection"):
        barbers.report("1' OR '1'='1")


def test_no_credential_ever_comes_out(barbers: Barbers) -> None:
    barbers.run(
        "UPDATE payment_processor_connections SET webhook_secret = 'S3CRETONE',"
        ' connection_data = \'{"token": "S3CRETTWO"}\''
    )
    barbers.run('UPDATE hybrid_payment_configs SET bank_account_config = \'{"iban": "S3CRETX"}\'')
    for only_ in (None, "1"):
        report = barbers.report(only_)
        for output in FORMATS:
            text = render(report, output, colour=False, width=80, now=datetime.now(UTC))
            assert "S3CRET" not in text


def test_a_table_that_is_missing_hides_no_other(barbers: Barbers) -> None:
    barbers.run("DROP TABLE platform_collections")
    report = barbers.report()
    checks = {check.id.partition(".")[2]: check for check in report.checks}
    only(checks, "stuck-collections", "failed-collections")
    assert checks["stuck-collections"].status is Status.UNKNOWN
    assert table(report, "collections").note.startswith("not known:")
    assert len(table(report, "connections").rows) == 3


def test_not_used_here() -> None:
    report = connections(settings_from({}), DAYS, Deadline.after(2))
    for check in report.checks:
        assert_skip(check, "not used here")
    assert report.tables == ()


def test_a_database_that_does_not_answer() -> None:
    settings = settings_from(
        {"preset": "bookedbarber", "postgres": {"dsn": "postgresql://a@127.0.0.1:1/b"}}
    )
    for only_ in (None, "1"):
        report = connections(settings, DAYS, Deadline.after(3), only=only_)
        assert {check.status for check in report.checks} == {Status.CRIT}
        assert report.duration_ms < 3500


def test_more_kinds_of_sales_than_can_be_read_are_told_and_hide_nothing_else(
    barbers: Barbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payops.sources.external_sums.MOST_KINDS", 1)
    report = barbers.report()
    told = [
        check for check in report.checks if "more than 1 different connections" in check.summary
    ]
    notes = [table for table in report.tables if "more than 1 different connections" in table.note]
    assert told or notes
    assert {check.status for check in told} <= {Status.UNKNOWN}
    assert any(table.rows for table in report.tables)
    assert any(check.status is Status.OK for check in report.checks)
