"""`reconcile external` on BookedBarber's tables in a real Postgres: healthy is OK, each fault is
found, nothing else is."""

from __future__ import annotations

import json
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
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.external import reconcile_external
from payops.formats import render
from payops.lab.history import HistoryPlan, tell
from payops.lab.history.load import run_schema, write_tables
from payops.lab.servers.postgres import PostgresServer
from payops.lab.systems import system
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
