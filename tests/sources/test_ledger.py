"""Ledgers of every kind on a real Postgres, held against the same rules in Python."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql as psql

from payops.config.ledger import Ledger, LedgerColumns
from payops.domain.money import Money, MoneyAtRisk, exponent
from payops.domain.payment import OPEN, PaymentStatus
from payops.domain.window import Window
from payops.errors import Failure, SourceError
from payops.sources.ledger_stats import StatsReader
from payops.sources.postgres import PostgresSource

Sql = psycopg.Connection[Any]
STATUSES: dict[Any, tuple[str, ...]] = {
    "pending": ("PENDING", "new"),
    "processing": ("processing",),
    "succeeded": ("paid",),
    "failed": ("failed",),
}
T0 = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def ledger(table: str = "payments", columns: dict[str, str] | None = None, **other: Any) -> Ledger:
    names = {name: name for name in ("id", "status", "amount", "created_at")}
    return Ledger(
        table=table,
        columns=LedgerColumns(**(names | (columns or {}))),
        **{"statuses": STATUSES, **other},
    )


def make(sql: Sql, columns: str, rows: list[tuple[Any, ...]], table: str = "payments") -> None:
    name = psql.Identifier(table)
    into = psql.Identifier(table.replace("%", "%%"))
    sql.execute(psql.SQL("CREATE TABLE {} ({})").format(name, psql.SQL(columns)))  # type: ignore[arg-type]
    for row in rows:
        places = psql.SQL(", ").join(psql.Placeholder() * len(row))
        sql.execute(psql.SQL("INSERT INTO {} VALUES ({})").format(into, places), row)


def open_of(source: PostgresSource, of: Ledger, **changed: Any) -> Any:
    asked = {
        "older_than": T0,
        "newer_than": None,
        "statuses": OPEN,
        "sample": 5,
    }
    return source.ledger(of).open_payments(**(asked | changed))


def test_open_payments(postgres: PostgresSource, sql: Sql) -> None:
    make(
        sql,
        "id uuid, processor_ref text, status text, amount bigint, currency char(3),"
        " created_at timestamptz",
        [
            (uuid.UUID(int=1), "pi_1", "PENDING", 1999, "USD", T0 - timedelta(hours=2)),
            (uuid.UUID(int=2), None, "new", 1, "usd", T0 - timedelta(hours=1)),
            (uuid.UUID(int=3), "", "processing", 500, "JPY", T0 - timedelta(minutes=30)),
            (uuid.UUID(int=4), "pi_4", "pending", 9, "usd", T0 - timedelta(hours=9)),  # other case
            (uuid.UUID(int=5), "pi_5", "paid", 9, "usd", T0 - timedelta(hours=9)),
            (uuid.UUID(int=6), "pi_6", "new", 9, "usd", T0),  # older_than is exclusive
        ],
    )
    of = ledger(columns={"processor_ref": "processor_ref", "currency": "currency"})
    found = open_of(postgres, of, sample=2)
    assert found.count == 3
    assert found.oldest == T0 - timedelta(hours=2)
    assert found.money == (MoneyAtRisk("usd", 2000, 2), MoneyAtRisk("jpy", 500, 1))
    assert found.without_reference == 2
    assert found.inexact == 0
    assert [row.id[-1] for row in found.sample] == ["1", "2"]
    assert found.sample[0].amount == Money("usd", 1999)
    assert found.sample[0].status == "PENDING"
    assert found.sample[1].processor_ref is None
    assert abs(found.as_of - datetime.now(UTC)) < timedelta(seconds=2)
    newer = open_of(postgres, of, newer_than=T0 - timedelta(hours=1))
    assert newer.count == 2  # newer_than is inclusive


def test_a_word_without_end_is_no_currency(postgres: PostgresSource, sql: Sql) -> None:
    make(
        sql,
        "id text, status text, amount bigint, currency text, created_at timestamptz",
        [("a", "new", 5, "x" * 100_000, T0 - timedelta(hours=1))],
    )
    of = ledger(columns={"currency": "currency"})
    assert open_of(postgres, of).money == (MoneyAtRisk("x" * 16, 5, 1),)
    (outcome,) = postgres.ledger(of).outcomes(Window(T0 - timedelta(hours=2), T0)).rows
    assert (outcome.currency, outcome.minor) == ("x" * 16, 5)


def test_more_words_than_any_program_has_are_told(postgres: PostgresSource, sql: Sql) -> None:
    make(sql, "id int, status text, amount bigint, created_at timestamptz", [])
    sql.execute(
        "INSERT INTO payments SELECT n, 'word ' || n, 5, %s FROM generate_series(1, 20001) s (n)",
        [T0 - timedelta(hours=1)],
    )
    window = Window(T0 - timedelta(hours=2), T0)
    for ask in (
        lambda: postgres.ledger(ledger()).outcomes(window),
        lambda: StatsReader(postgres, ledger()).outcomes(window),
    ):
        with pytest.raises(SourceError, match="more than 20,000 different") as raised:
            ask()
        assert raised.value.kind is Failure.TOO_MUCH
        assert not raised.value.does_not_answer
        assert "free text" in raised.value.hint
    sql.execute("DELETE FROM payments WHERE id = 1")
    assert len(postgres.ledger(ledger()).outcomes(window).unknown) == 20_000


def test_nothing_open(postgres: PostgresSource, sql: Sql) -> None:
    make(sql, "id int, status text, amount int, created_at timestamptz", [])
    found = open_of(postgres, ledger())
    assert (found.count, found.oldest, found.money, found.sample) == (0, None, (), ())
    assert found.without_reference is None
    assert open_of(postgres, ledger(), statuses=frozenset()).count == 0


def test_outcomes(postgres: PostgresSource, sql: Sql) -> None:
    make(
        sql,
        "id text, status text, amount numeric, created_at timestamptz, code text",
        [
            ("a", "failed", Decimal("5.00"), T0, "card_declined"),
            ("b", "failed", Decimal("7.00"), T0 + timedelta(minutes=1), "card_declined"),
            ("c", "failed", Decimal("1.00"), T0, None),
            ("d", "weird\x1b", Decimal("1.00"), T0, None),
            ("e", None, Decimal("1.00"), T0, None),
            ("f", "paid", None, T0, None),
            ("g", "paid", Decimal("1.00"), T0 + timedelta(hours=1), None),  # the end is exclusive
        ],
    )
    of = ledger(columns={"failure_code": "code"}, amount_unit="major")
    found = postgres.ledger(of).outcomes(Window(T0, T0 + timedelta(hours=1)))
    first = found.rows[0]
    assert (first.status, first.failure_code) == (PaymentStatus.FAILED, "card_declined")
    assert (first.count, first.minor, first.currency) == (2, 1200, "usd")
    assert (first.first, first.last) == (T0, T0 + timedelta(minutes=1))
    assert {row.raw for row in found.unknown} == {"weird\x1b", "NULL"}
    paid = next(row for row in found.rows if row.raw == "paid")
    assert (paid.count, paid.minor, paid.inexact) == (1, 0, 1)


@pytest.mark.parametrize("key", ["uuid", "bigint", "text"])
@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        ("numeric(12,3)", "major"),
        ("numeric", "minor"),
        ("double precision", "major"),
        ("real", "major"),
        ("bigint", "minor"),
        ("integer", "major"),
        ("smallint", "minor"),
        ("text", "major"),
    ],
)
def test_every_kind_of_amount(
    postgres: PostgresSource, sql: Sql, key: str, amount: str, unit: str
) -> None:
    whole = amount in ("bigint", "integer", "smallint") or unit == "minor"
    values = ["7", "19", "120"] if whole else ["19.99", "0.1", "0.2"]
    ids = [str(uuid.UUID(int=i)) if key == "uuid" else str(i) for i in range(3)]
    make(
        sql,
        f"id {key}, status text, amount {amount}, created_at timestamptz",
        [(id_, "new", v, T0 - timedelta(hours=1)) for id_, v in zip(ids, values, strict=True)],
    )
    found = open_of(postgres, ledger(amount_unit=unit))
    factor = 100 if unit == "major" else 1
    assert found.money == (MoneyAtRisk("usd", int(sum(map(Decimal, values)) * factor), 3),)
    assert sorted(row.id for row in found.sample) == sorted(ids)


@pytest.mark.parametrize(
    ("amount", "odd"),
    [
        ("numeric", "Infinity"),
        ("numeric", "-Infinity"),
        ("numeric", "NaN"),
        ("numeric", "1e5000"),
        ("numeric", "-1e18"),
        ("double precision", "Infinity"),
        ("double precision", "1e300"),
        ("text", "Infinity"),
        ("text", "1e100000"),
        ("text", "12,50"),
        ("text", ""),
        ("varchar", "\x1b[2J"),
        ("bigint", "9223372036854775807"),
    ],
)
def test_one_odd_amount_is_counted_and_takes_no_other_answer_away(
    postgres: PostgresSource, sql: Sql, amount: str, odd: str
) -> None:
    at = T0 - timedelta(hours=1)
    make(
        sql,
        f"id int, status text, amount {amount}, created_at timestamptz",
        [(1, "new", odd, at), (2, "new", "5", at)],
    )
    found = open_of(postgres, ledger())
    assert found.money == (MoneyAtRisk("usd", 5, 2),)
    assert (found.inexact, found.sample[0].amount) == (1, None)
    (outcome,) = postgres.ledger(ledger()).outcomes(Window(at, T0)).rows
    assert (outcome.count, outcome.minor, outcome.inexact) == (2, 5, 1)


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=3)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(amounts, st.sampled_from(["usd", "JPY", " eur", "KWD", "", None])), max_size=12
    ),
    floats=st.booleans(),
)
def test_sums_are_exact_or_named(
    postgres: PostgresSource,
    sql: Sql,
    rows: list[tuple[Decimal, str | None]],
    floats: bool,
) -> None:
    sql.execute("DROP TABLE IF EXISTS payments")
    postgres._tables.clear()
    make(
        sql,
        f"id int, status text, amount {'double precision' if floats else 'numeric'},"
        " currency text, created_at timestamptz",
        [(i, "new", a, c, T0 - timedelta(hours=1)) for i, (a, c) in enumerate(rows)],
    )
    of = ledger(columns={"currency": "currency"}, amount_unit="major", currency="VND")
    expected: dict[str, list[int]] = {}
    inexact = 0
    for amount, currency in rows:
        code = (currency or "").strip().lower() or "vnd"
        scaled = amount.scaleb(exponent(code))
        entry = expected.setdefault(code, [0, 0])
        entry[1] += 1
        if floats:  # PostgreSQL rounds a half away from zero
            entry[0] += int(scaled.quantize(Decimal(1), rounding="ROUND_HALF_UP"))
        elif scaled == scaled.to_integral_value():
            entry[0] += int(scaled)
        else:
            inexact += 1
    found = open_of(postgres, of)
    assert {m.currency: [m.minor, m.count] for m in found.money} == expected
    assert found.inexact == inexact


@pytest.mark.parametrize("amount", ["NaN", None, "19.999"])
def test_an_odd_amount_is_counted_and_named(
    postgres: PostgresSource, sql: Sql, amount: str | None
) -> None:
    make(
        sql,
        "id int, status text, amount numeric, created_at timestamptz",
        [(1, "new", amount, T0 - timedelta(hours=1)), (2, "new", 5, T0 - timedelta(hours=1))],
    )
    found = open_of(postgres, ledger(amount_unit="major"))
    assert (found.count, found.inexact) == (2, 1)
    assert found.money == (MoneyAtRisk("usd", 500, 2),)
    assert [row.amount for row in found.sample] == [None, Money("usd", 500)]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    # The naive times of a column without a zone.
    # 25 October 2026, 03:00: Berlin's clocks go back; 29 March, 02:00: they go forward
    day=st.sampled_from(
        [datetime.fromisoformat("2026-10-24T22:00"), datetime.fromisoformat("2026-03-28T22:00")]
    ),
    minutes=st.lists(st.integers(0, 480), max_size=10),
    edges=st.tuples(st.integers(0, 480), st.integers(0, 480)),
)
def test_naive_times_around_a_change_of_clocks(
    postgres: PostgresSource,
    sql: Sql,
    day: datetime,
    minutes: list[int],
    edges: tuple[int, int],
) -> None:
    naive = [day + timedelta(minutes=m) for m in minutes]
    sql.execute("DROP TABLE IF EXISTS payments")
    make(
        sql,
        "id int, status text, amount int, created_at timestamp",
        [(i, "new", 1, moment) for i, moment in enumerate(naive)],
    )
    since, until = sorted(day.replace(tzinfo=UTC) + timedelta(minutes=m - 60) for m in edges)
    # An hour that comes twice is read as the second (standard time), as PostgreSQL reads it.
    meant = [read_as_postgres_does(moment) for moment in naive]
    expected = [moment for moment in meant if since <= moment < until]
    of = ledger(timezone="Europe/Berlin")
    found = postgres.ledger(of).outcomes(Window(since, until))
    assert sum(row.count for row in found.rows) == len(expected)
    if expected:
        assert found.rows[0].first == min(expected)
        assert found.rows[0].last == max(expected)


def read_as_postgres_does(moment: datetime) -> datetime:
    """Standard time where the clock shows an hour twice or skips one."""
    first, second = (moment.replace(tzinfo=BERLIN, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(first, second)


def test_dates_are_days_of_the_ledgers_zone(postgres: PostgresSource, sql: Sql) -> None:
    make(
        sql,
        "id int, status text, amount int, created_at date",
        [(1, "new", 5, "2026-02-10"), (2, "new", 5, "2026-02-11"), (3, "new", 5, "2026-02-12")],
    )
    found = open_of(postgres, ledger(timezone="Asia/Tokyo"))
    assert found.count == 2
    assert found.oldest == datetime(2026, 2, 9, 15, tzinfo=UTC)


def test_an_enum_status(postgres: PostgresSource, sql: Sql) -> None:
    sql.execute("""CREATE TYPE "Pay'State" AS ENUM ('PENDING', 'paid')""")
    make(
        sql,
        """id int, status "Pay'State", amount int, created_at timestamptz""",
        [(1, "PENDING", 5, T0 - timedelta(hours=1)), (2, "paid", 5, T0 - timedelta(hours=1))],
    )
    # 'new' and 'processing' are mapped, but no labels of this enum
    assert open_of(postgres, ledger()).count == 1


@pytest.mark.parametrize("kind", ["text", "state"])
def test_statuses_are_compared_case_blind_where_the_mapping_says_so(
    postgres: PostgresSource, sql: Sql, kind: str
) -> None:
    sql.execute("CREATE TYPE state AS ENUM ('PENDING', 'Pending', 'paid')")
    make(
        sql,
        f"id int, status {kind}, amount int, created_at timestamptz",
        [(n, word, 5, T0 - timedelta(hours=1)) for n, word in enumerate(("PENDING", "Pending"))],
    )
    mapped = {"statuses": {"pending": ("pending",), "succeeded": ("PAID",)}}
    assert open_of(postgres, ledger(match_case=True, **mapped)).count == 0
    blind = ledger(match_case=False, **mapped)
    assert open_of(postgres, blind).count == 2
    found = postgres.ledger(blind).outcomes(Window(T0 - timedelta(days=1), T0))
    assert {row.status for row in found.rows} == {PaymentStatus.PENDING}


def test_a_number_as_status(postgres: PostgresSource, sql: Sql) -> None:
    make(
        sql,
        "id int, status smallint, amount int, created_at timestamptz",
        [(1, 0, 5, T0 - timedelta(hours=1)), (2, 1, 5, T0 - timedelta(hours=1))],
    )
    assert open_of(postgres, ledger(statuses={"pending": ("0",), "succeeded": ("1",)})).count == 1


@pytest.mark.parametrize("table", ['pay"ments; DROP', "camelCase", "odd.name", "Ünï{code}%s"])
def test_odd_names(postgres: PostgresSource, sql: Sql, table: str) -> None:
    make(
        sql,
        '"Id" int, "stat\'us" text, "amount{}" int, "createdAt" timestamptz',
        [(1, "new", 5, T0 - timedelta(hours=1))],
        table=table,
    )
    names = {"id": "Id", "status": "stat'us", "amount": "amount{}", "created_at": "createdAt"}
    assert open_of(postgres, ledger(table, names)).count == 1


def test_a_table_in_a_schema(postgres: PostgresSource, sql: Sql) -> None:
    make(sql, "id int, status text, amount int, created_at timestamptz", [], table="orders")
    assert open_of(postgres, ledger("case_.orders")).count == 0
    with pytest.raises(SourceError) as caught:
        open_of(postgres, ledger("case_.oders"))
    assert "did you mean orders?" in caught.value.hint


def test_a_percent_sign_in_a_column_is_a_name_too(postgres: PostgresSource, sql: Sql) -> None:
    make(
        sql,
        'id int, status text, "fee%" int, created_at timestamptz',
        [(1, "new", 5, T0 - timedelta(hours=1))],
    )
    assert open_of(postgres, ledger(columns={"amount": "fee%"})).money[0].minor == 5


def test_a_missing_table_or_column_is_named(postgres: PostgresSource, sql: Sql) -> None:
    make(sql, "id int, status text, amount int, created timestamptz", [])
    with pytest.raises(SourceError, match="paymnts") as caught:
        open_of(postgres, ledger("paymnts"))
    assert caught.value.kind is Failure.SCHEMA
    assert "did you mean payments?" in caught.value.hint
    with pytest.raises(SourceError, match="created_at") as caught:
        open_of(postgres, ledger())
    assert "did you mean created?" in caught.value.hint
    with pytest.raises(SourceError, match="type int4") as caught:
        open_of(postgres, ledger(columns={"created_at": "id"}))
    assert caught.value.kind is Failure.SCHEMA


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_the_index_on_the_time_is_used(postgres: PostgresSource, sql: Sql, kind: str) -> None:
    make(sql, f"id int, status text, amount int, created_at {kind}", [])
    sql.execute(
        "INSERT INTO payments SELECT i, 'paid', 5, '2026-01-01'::timestamp + i * interval '1 min'"
        " FROM generate_series(1, 40000) AS i"
    )
    sql.execute("CREATE INDEX ON payments (created_at)")
    sql.execute("ANALYZE payments")
    reset = "SELECT pg_stat_reset_single_table_counters('payments'::regclass)"
    sql.execute(reset)  # type: ignore[arg-type]
    day = datetime(2026, 1, 20, tzinfo=UTC)
    found = postgres.ledger(ledger()).outcomes(Window(day, day + timedelta(hours=1)))
    assert found.rows[0].count == 60
    postgres.close()
    for _ in range(100):
        row = sql.execute(
            "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'payments'"
        ).fetchone()
        if row and sum(row):
            break
        sql.execute("SELECT pg_sleep(0.05)")
    assert row == (0, 1)
