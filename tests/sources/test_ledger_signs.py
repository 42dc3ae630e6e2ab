"""Signs of trouble in ledgers on a real Postgres, and that indexes serve their questions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from payops.config.ledger import Ledger, LedgerColumns
from payops.domain.money import MoneyAtRisk
from payops.domain.window import Window
from payops.errors import SourceError
from payops.sources.ledger_signs import LedgerSigns
from payops.sources.postgres import PostgresSource

Sql = psycopg.Connection[Any]
T0 = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
HOUR = Window(T0 - timedelta(hours=1), T0)
DDL = """CREATE TABLE payments (
  id bigint PRIMARY KEY, status text, amount bigint, currency text, code text, customer text,
  "order" text, ref text, card numeric, created {time} NOT NULL, done {time})"""
INDEXED = "CREATE INDEX ON payments (created); CREATE INDEX ON payments (status, created)"
STATUSES: Any = {
    "pending": ("PENDING",),
    "requires_action": ("3ds",),
    "succeeded": ("paid",),
    "refunded": ("back",),
    "failed": ("failed",),
}


def ledger(**columns: str) -> Ledger:
    names = {
        "id": "id",
        "status": "status",
        "amount": "amount",
        "created_at": "created",
        "currency": "currency",
        "failure_code": "code",
        "customer_id": "customer",
        "order_id": "order",
        "processor_ref": "ref",
        "completed_at": "done",
    }
    return Ledger(
        table="payments",
        columns=LedgerColumns(**(names | columns)),
        statuses=STATUSES,
        issuer_declines=("No credit",),
    )


@pytest.fixture(params=["timestamptz", "timestamp"])
def table(sql: Sql, request: pytest.FixtureRequest) -> Sql:
    sql.execute("SET timezone = 'UTC'")
    sql.execute(DDL.format(time=request.param))
    sql.execute(INDEXED)
    return sql


_NEXT = iter(range(1, 1_000_000))


def row(sql: Sql, minutes: float = 5, took: float | None = None, **given: Any) -> int:
    """One payment made so many minutes before T0, completed after `took` seconds."""
    id_ = next(_NEXT)
    created = T0 - timedelta(minutes=minutes)
    values: dict[str, Any] = {"status": "paid", "amount": 1000, "currency": "usd", **given}
    values |= {"id": id_, "created": created, "ref": given.get("ref", f"pi_{id_}")}
    values["done"] = created + timedelta(seconds=took) if took is not None else None
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(["%s"] * len(values))
    sql.execute(f"INSERT INTO payments ({names}) VALUES ({places})", list(values.values()))
    return id_


def signs(source: PostgresSource, **columns: str) -> LedgerSigns:
    return LedgerSigns(source, ledger(**columns))


def test_latency(table: Sql, postgres: PostgresSource) -> None:
    for took in (1, 2, 3, 10):
        row(table, took=took)
    row(table, took=99, status="failed")
    row(table, took=99, minutes=61)
    row(table, took=-5)
    row(table)
    # It would make every average infinite, and a CRIT of one row.
    table.execute("UPDATE payments SET done = 'infinity' WHERE id = %s", [row(table)])
    found = signs(postgres).latency(HOUR)
    assert (found.count, found.average, found.median, found.longest) == (4, 4, 2.5, 10)
    assert found.p95 == pytest.approx(8.95)
    none = signs(postgres, completed_at="").latency(HOUR)
    assert (none.count, none.average, none.p95) == (0, None, None)


def test_customers(table: Sql, postgres: PostgresSource) -> None:
    for code in ("api_error", None, "INSUFFICIENT_FUNDS", "No credit"):
        row(table, status="failed", code=code, customer="ann")
    row(table, customer="ann", minutes=50)
    row(table, customer="bob")
    row(table, status="failed", code="timeout", customer="cid", minutes=20)
    row(table, customer=None, status="failed")
    row(table, customer="dan", minutes=90, status="failed")
    found = signs(postgres).customers(HOUR, most=2)
    told = [(one.customer, one.attempts, one.ours, one.declined) for one in found.rows]
    assert told == [("ann", 5, 2, 2), ("cid", 1, 1, 0), ("bob", 1, 0, 0)]
    assert (found.customers, found.failing) == (3, 2)
    first = [one.first for one in found.rows]
    # Of what failed by our fault: not of ann's payment 50 min ago.
    assert first[0] is not None
    assert first[0] > T0 - timedelta(minutes=20)
    assert first[1:] == [T0 - timedelta(minutes=20), None]


def test_volume(table: Sql, postgres: PostgresSource) -> None:
    for day, count in ((0, 2), (1, 3), (3, 1), (7, 4), (8, 9)):
        for _ in range(count):
            row(table, minutes=day * 1440 + 30)
    row(table, minutes=61)
    row(table, minutes=1440 - 1)
    found = signs(postgres).volume(HOUR)
    assert (found.now, found.before) == (2, (3, 0, 1, 0, 0, 0, 4))


def test_pairs(table: Sql, postgres: PostgresSource) -> None:
    same = {"order": "o1", "customer": "ann"}
    first = row(table, minutes=30, **same)
    second = row(table, minutes=20, status="PENDING", **same)
    row(table, minutes=9, **same)  # 11 minutes later: another purchase
    row(table, minutes=29, **(same | {"status": "failed"}))
    row(table, minutes=29, **(same | {"amount": 999}))
    row(table, minutes=29, **(same | {"currency": "eur"}))
    row(table, minutes=29, order="o2", customer="ann")
    row(table, minutes=8)
    row(table, minutes=8)  # nobody knows whose
    found = signs(postgres).pairs(HOUR, 600)
    assert found.money == (MoneyAtRisk("usd", 1000, 1),)
    assert (found.first, found.second) == (str(first), str(second))
    assert found.last == T0 - timedelta(minutes=20)
    by_customer = signs(postgres, order_id="").pairs(HOUR, 600)
    assert by_customer.count == 2
    nobody = signs(postgres, order_id="", customer_id="").pairs(HOUR, 600)
    assert (nobody.count, nobody.first, nobody.last) == (0, "", None)


def test_high(table: Sql, postgres: PostgresSource) -> None:
    row(table, amount=5000)
    most = row(table, amount=5002)
    row(table, amount=5001, minutes=40)
    row(table, amount=9999, status="failed")
    row(table, amount=9999, currency="eur")
    found = signs(postgres).high(HOUR, {"USD": 5000, "jpy": 1})
    assert found.money == (MoneyAtRisk("usd", 10003, 2),)
    assert found.largest == ((str(most), "usd", 5002),)
    assert found.first == T0 - timedelta(minutes=40)
    assert signs(postgres).high(HOUR, {}).count == 0


def test_paid_rows_without_a_reference(table: Sql, postgres: PostgresSource) -> None:
    row(table)
    row(table, ref=None)
    row(table, ref="")
    row(table, ref=None, card=1000)  # a gift card paid all of it: Stripe was never asked
    row(table, ref=None, card=999)
    found = postgres.ledger(ledger(deduction="card")).outcomes(HOUR)
    assert [(one.count, one.without_reference) for one in found.rows] == [(5, 3)]
    found = postgres.ledger(ledger()).outcomes(HOUR)
    assert found.rows[0].without_reference == 4


def test_open_payments_by_age(table: Sql, postgres: PostgresSource) -> None:
    now = datetime.now(UTC)
    for hours in (1, 3, 4, 25):
        minutes = (T0 - now).total_seconds() / 60 + hours * 60
        row(table, minutes=minutes, status="PENDING")
    found = postgres.ledger(ledger()).open_payments(
        older_than=now, newer_than=None, statuses=frozenset(_pending()), sample=0
    )
    assert (found.count, found.hours, found.days) == (4, 3, 1)


def _pending() -> list[Any]:
    from payops.domain.payment import PaymentStatus

    return [PaymentStatus.PENDING]


def test_a_column_that_is_not_there_is_named(table: Sql, postgres: PostgresSource) -> None:
    with pytest.raises(SourceError, match="custmer"):
        signs(postgres, customer_id="custmer").customers(HOUR, 3)


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.latency(HOUR),
        lambda s: s.customers(HOUR, 10),
        lambda s: s.volume(HOUR),
        lambda s: s.pairs(HOUR, 600),
        lambda s: s.high(HOUR, {"usd": 1}),
        lambda s: s._reader.outcomes(HOUR),
    ],
    ids=["latency", "customers", "volume", "pairs", "high", "outcomes"],
)
def test_an_index_serves_it(
    table: Sql, postgres: PostgresSource, monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    """The plan of each, as the server makes it of a table of two months."""
    table.execute(
        "INSERT INTO payments SELECT n, 'paid', 1000, 'usd', NULL, 'c' || n %% 999, 'o' || n, "
        "'pi_' || n, NULL, %s::timestamptz - make_interval(secs => n * 100), NULL "
        "FROM generate_series(1, 50000) AS n",
        (T0,),
    )
    table.execute("ANALYZE payments")
    asked: list[tuple[Any, Any]] = []
    through = PostgresSource._ask

    def watched(self: Any, text: Any, params: Any, *rest: Any, **more: Any) -> Any:
        asked.append((text, params))
        return through(self, text, params, *rest, **more)

    monkeypatch.setattr(PostgresSource, "_ask", watched)
    ask(signs(postgres))
    plans = []
    for text, params in asked:
        if "payments" not in (rendered := text.as_string(table)) or "pg_catalog" in rendered:
            continue
        told = table.execute(psycopg.sql.SQL("EXPLAIN {}").format(text), params).fetchall()
        plans.append("\n".join(line for (line,) in told))
    assert plans
    for plan in plans:
        assert "Seq Scan" not in plan
        assert "Index" in plan
