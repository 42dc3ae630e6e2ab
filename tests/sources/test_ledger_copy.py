"""Ledgers of every kind copied from a real Postgres, held against the same rules in Python."""

from __future__ import annotations

import contextlib
import csv
import io
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql as psql

from payops.config.ledger import Ledger, LedgerColumns
from payops.config.sources import PostgresSettings
from payops.domain.secret import Secret
from payops.domain.window import Window
from payops.errors import Failure, SourceError
from payops.lab.servers.postgres import PostgresServer
from payops.reconcile.spool_schema import LEDGER
from payops.sources import giving_way, ledger_copy
from payops.sources.ledger_copy import Copied, LedgerCopy
from payops.sources.postgres import PostgresSource
from sources.conftest import postgres_of

Sql = psycopg.Connection[Any]
T0 = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
WINDOW = Window(T0, T0 + timedelta(days=1))
BERLIN = ZoneInfo("Europe/Berlin")
# The clock is set back in this night: 2:30 comes twice.
AUTUMN = Window(datetime(2025, 10, 25, 22, tzinfo=UTC), datetime(2025, 10, 26, 4, tzinfo=UTC))


def ledger(columns: dict[str, str] | None = None, **other: Any) -> Ledger:
    names = {name: name for name in ("id", "status", "amount", "created_at")}
    return Ledger(
        **{
            "table": "payments",
            "columns": LedgerColumns(**(names | (columns or {}))),
            "statuses": {"succeeded": ("paid",)},
            **other,
        }
    )


def make(sql: Sql, columns: str, rows: list[tuple[Any, ...]]) -> None:
    sql.execute(psql.SQL("CREATE TABLE payments ({})").format(psql.SQL(columns)))  # type: ignore[arg-type]
    for row in rows:
        places = psql.SQL(", ").join(psql.Placeholder() * len(row))
        sql.execute(psql.SQL("INSERT INTO payments VALUES ({})").format(places), row)


@pytest.fixture
def dsn(postgres_server: PostgresServer) -> str:
    return postgres_server.dsn


def copied(
    source: PostgresSource, dsn: str, of: Ledger, window: Window = WINDOW
) -> tuple[list[dict[str, str]], Copied]:
    into = io.BytesIO()
    counted: list[int] = []
    done = LedgerCopy.of(source, PostgresSettings(dsn=Secret(dsn)), of).copy(
        window, into, counted.append
    )
    assert sum(counted) == done.rows
    text = io.StringIO(into.getvalue().decode(), newline="")
    rows = [dict(zip(LEDGER, row, strict=True)) for row in csv.reader(text)]
    assert len(rows) == done.rows
    return sorted(rows, key=lambda row: row["key"]), done


def micros(moment: datetime) -> str:
    return str((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


ALL = {
    "processor_ref": "processorRef",
    "charge_ref": "charge",
    "session_ref": "session",
    "currency": "currency",
    "updated_at": "updatedAt",
    "completed_at": "done",
    "idempotency_key": "key",
    "order_id": "order",
    "customer_id": "customer",
    "failure_code": "fail%ure",
    "payment_id": "payment",
    "deduction": "gift card",
    "refunded_amount": "refunded",
    "fee": "fee",
}


def test_every_column_with_odd_names(postgres: PostgresSource, sql: Sql, dsn: str) -> None:
    sql.execute("CREATE TYPE state AS ENUM ('PAID', 'NEW')")
    make(
        sql,
        'id uuid, status state, amount numeric(12,4), created_at timestamptz, "processorRef" text,'
        ' charge varchar(50), session text, currency char(3), "updatedAt" timestamp, done date,'
        ' key uuid, "order" bigint, customer int, "fail%ure" text, payment bigint,'
        ' "gift card" real, refunded int, fee money, client_secret text',
        [
            (
                *(uuid.UUID(int=1), "PAID", Decimal("19.9900"), T0 + timedelta(microseconds=1)),
                *("pi_1", "ch_1", "cs_1", "JPY", T0.replace(tzinfo=None), date(2026, 2, 12)),
                *(uuid.UUID(int=2), 7, 8, 'a "b",\nc', 9, 0.1, 3, "1.25", "secret"),
            )
        ],
    )
    of = ledger(ALL, timezone="Europe/Berlin")
    ((row,), done) = copied(postgres, dsn, of)
    assert row == {
        "key": str(uuid.UUID(int=1)),
        "status": "PAID",
        "amount": "19.9900",
        "deduction": "0.1",
        "currency": "jpy",
        "created_us": micros(T0 + timedelta(microseconds=1)),
        "updated_us": micros(T0.replace(tzinfo=BERLIN)),
        "completed_us": micros(datetime(2026, 2, 12, tzinfo=BERLIN)),
        "processor_ref": "pi_1",
        "charge_ref": "ch_1",
        "session_ref": "cs_1",
        "idempotency_key": str(uuid.UUID(int=2)),
        "order_id": "7",
        "customer_id": "8",
        "failure_code": 'a "b",\nc',
        "payment_key": "9",
        "refunded_amount": "3",
        "fee": "1.25",
    }
    assert abs(done.as_of - datetime.now(UTC)) < timedelta(minutes=1)


def test_nothing_mapped_and_nothing_there(postgres: PostgresSource, sql: Sql, dsn: str) -> None:
    make(
        sql,
        "id bigint, status text, amount int, created_at timestamptz, updated_at timestamptz",
        [(1, None, None, T0, "infinity"), (2, "paid", 5, None, None)],
    )
    of = ledger({"updated_at": "updated_at"}, currency="EUR")
    ((row,), _) = copied(postgres, dsn, of)
    filled = {name: value for name, value in row.items() if value}
    assert filled == {"key": "1", "currency": "eur", "created_us": micros(T0)}


@pytest.mark.parametrize("moment", ["20000-01-01", "0044-03-15 BC", "-infinity"])
def test_a_time_that_python_has_no_date_for_is_none(
    postgres: PostgresSource, sql: Sql, dsn: str, moment: str
) -> None:
    make(
        sql,
        "id bigint, status text, amount int, created_at timestamptz, updated_at timestamptz",
        [(1, "paid", 5, T0, moment)],
    )
    ((row,), _) = copied(postgres, dsn, ledger({"updated_at": "updated_at"}))
    assert (row["created_us"], row["updated_us"]) == (micros(T0), "")


def test_the_edges(postgres: PostgresSource, sql: Sql, dsn: str) -> None:
    tick = timedelta(microseconds=1)
    moments = [T0 - tick, T0, WINDOW.until - tick, WINDOW.until]
    make(
        sql,
        "id int, status text, amount int, created_at timestamptz",
        [(n, "paid", 1, moment) for n, moment in enumerate(moments)],
    )
    rows, _ = copied(postgres, dsn, ledger())
    assert [row["key"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("numeric", "1e3", "1000"),
        ("numeric", "NaN", ""),
        ("float8", 19.99, "19.99"),
        ("float8", 1e22, "10000000000000000000000"),
        ("float8", float("nan"), ""),
        ("float8", float("-inf"), ""),
        ("float4", 0.1, "0.1"),
        ("int8", 2**62, str(2**62)),
        ("money", "-1.25", "-1.25"),
        ("text", " 19.90 ", "19.90"),
        ("text", "19,90 EUR", ""),
        ("text", "", ""),
        ("varchar", "-.5", "-0.5"),
    ],
)
def test_amounts(
    postgres: PostgresSource, sql: Sql, dsn: str, kind: str, given: Any, expected: str
) -> None:
    make(
        sql,
        f"id text, status text, amount {kind}, created_at timestamptz",
        [("a", "paid", given, T0)],
    )
    ((row,), _) = copied(postgres, dsn, ledger())
    assert row["amount"] == expected


KEYS: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids(),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=3, max_value=10**9),
}
NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric(20,4)": st.decimals(-(10**15), 10**15, places=4),
    "float8": st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15),
}
TIMES = ("timestamptz", "timestamp", "date")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.data(),
    key=st.sampled_from(sorted(KEYS)),
    number=st.sampled_from(sorted(NUMBERS)),
    time=st.sampled_from(TIMES),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"]),
)
def test_any_types(
    sql: Sql, dsn: str, data: st.DataObject, key: str, number: str, time: str, zone: str
) -> None:
    around = st.integers(-36 * 3600 * 10**6, 36 * 3600 * 10**6).map(
        lambda us: AUTUMN.since + timedelta(hours=3, microseconds=us)
    )
    text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
    drawn = data.draw(
        st.lists(
            st.tuples(KEYS[key], text, NUMBERS[number], around, st.none() | text),
            max_size=12,
            unique_by=lambda row: str(row[0]),
        )
    )
    tz = ZoneInfo(zone)
    stored = []
    for id_, status, amount, moment, order in drawn:
        local = moment.astimezone(tz).replace(tzinfo=None, fold=0)
        at = {"timestamptz": moment, "timestamp": local, "date": local.date()}[time]
        stored.append((id_, status, amount, at, order))
    sql.execute("DROP TABLE IF EXISTS payments")
    make(sql, f"id {key}, status text, amount {number}, created_at {time}, o text", stored)
    # Postgres itself says which moment a naive time is.
    shown = sql.execute(
        psql.SQL("SELECT id::text, status, amount::text::numeric, o, {} FROM payments").format(
            psql.SQL("created_at")
            if time == "timestamptz"
            else psql.SQL("created_at::timestamp AT TIME ZONE {}").format(psql.Literal(zone))
        )
    ).fetchall()
    expected = sorted(
        (id_, status, amount, order or "", micros(moment))
        for id_, status, amount, order, moment in shown
        if moment in AUTUMN
    )
    source = postgres_of(dsn)
    try:
        rows, _ = copied(source, dsn, ledger({"order_id": "o"}, timezone=zone), AUTUMN)
    finally:
        source.close()
    found = sorted(
        (r["key"], r["status"], Decimal(r["amount"]), r["order_id"], r["created_us"]) for r in rows
    )
    assert found == expected


def test_an_index_on_the_time_is_used(postgres: PostgresSource, sql: Sql, dsn: str) -> None:
    make(sql, "id int, status text, amount int, created_at timestamp", [])
    sql.execute(
        "INSERT INTO payments SELECT n, 'paid', 1, timestamp '2026-01-01' + n * interval '1 min'"
        " FROM generate_series(1, 100000) AS n"
    )
    sql.execute("CREATE INDEX ON payments (created_at); ANALYZE payments")
    copy = LedgerCopy.of(postgres, PostgresSettings(dsn=Secret(dsn)), ledger())
    text = copy.statement().as_string(sql).removeprefix("COPY (").partition(") TO STDOUT")[0]
    with psycopg.ClientCursor(sql) as cursor:
        plan = cursor.execute(f"EXPLAIN {text}", copy.parameters(WINDOW)).fetchall()  # type: ignore[arg-type]
    assert "Index" in "\n".join(row[0] for row in plan)


@pytest.mark.parametrize(
    ("columns", "told", "hint"),
    [
        ({"fee": "fees"}, 'has no column "fees" \\(fee\\)', "did you mean fee?"),
        ({"updated_at": "status"}, "updated_at is mapped to a column of type text", "timestamptz"),
        ({"deduction": "created_at"}, "deduction is mapped to a column of type", "numeric"),
    ],
)
def test_a_mapping_that_does_not_fit(
    postgres: PostgresSource, sql: Sql, dsn: str, columns: dict[str, str], told: str, hint: str
) -> None:
    make(sql, "id int, status text, amount int, created_at timestamptz, fee int", [])
    with pytest.raises(SourceError, match=told) as raised:
        copied(postgres, dsn, ledger(columns))
    assert raised.value.kind is Failure.SCHEMA
    assert hint in raised.value.hint


def test_read_only(postgres: PostgresSource, sql: Sql, dsn: str) -> None:
    make(sql, "id int, status text, amount int, created_at timestamptz", [(1, "paid", 1, T0)])
    sql.execute(
        "CREATE FUNCTION writes() RETURNS text LANGUAGE plpgsql VOLATILE AS"
        " $$ BEGIN DELETE FROM case_.payments; RETURN 'gone'; END $$;"
        "CREATE VIEW v AS SELECT id, writes() AS status, amount, created_at FROM payments"
    )
    with pytest.raises(SourceError, match="read-only"):
        copied(postgres, dsn, ledger(table="v"))
    assert sql.execute("SELECT count(*) FROM payments").fetchone() == (1,)


def test_a_replica_that_cancels_is_asked_in_pieces(
    postgres: PostgresSource, sql: Sql, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(
        sql,
        "id int, status text, amount int, created_at timestamptz",
        [(n, "paid", 1, T0 + timedelta(minutes=n)) for n in range(24 * 60)],
    )
    asked: list[timedelta] = []
    real = ledger_copy._Run._copy

    def cancelled(run: Any, window: Window, may_give_way: bool) -> None:
        asked.append(window.length)
        real(run, window, may_give_way)
        if window.length > timedelta(hours=6):  # after its rows were sent
            raise psycopg.errors.SerializationFailure(
                "canceling statement due to conflict with recovery"
            )

    monkeypatch.setattr(ledger_copy._Run, "_copy", cancelled)
    rows, _ = copied(postgres, dsn, ledger())
    assert sorted(int(row["key"]) for row in rows) == list(range(24 * 60))
    assert asked == [timedelta(days=1), *[timedelta(hours=6)] * 4]


def test_somebody_who_waits_for_the_table_has_their_turn(
    postgres: PostgresSource, sql: Sql, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration, behind which all writers would queue."""
    monkeypatch.setattr(giving_way, "LOOK_S", 0.1)
    monkeypatch.setattr(ledger_copy, "_PAUSE_S", 0.05)
    make(
        sql,
        "id int, status text, amount int, created_at timestamptz",
        [(n, "paid", 1, T0 + timedelta(minutes=6 * n)) for n in range(240)],
    )
    # 240 rows at 10 ms: it would hold its lock for more than two seconds
    sql.execute(
        "CREATE FUNCTION slowly() RETURNS boolean LANGUAGE plpgsql COST 10000 AS "
        "'BEGIN PERFORM pg_sleep(0.01); RETURN true; END'"
    )
    sql.execute("CREATE VIEW slow AS SELECT * FROM payments WHERE slowly()")
    waited: list[float] = []

    def migrate() -> None:
        with psycopg.connect(dsn, autocommit=True, options="-c search_path=case_") as db:
            time.sleep(0.4)
            began = time.monotonic()
            db.execute("ALTER TABLE payments ADD COLUMN note text")
            waited.append(time.monotonic() - began)

    migration = threading.Thread(target=migrate)
    migration.start()
    rows, _ = copied(postgres, dsn, ledger(table="slow"))
    migration.join(timeout=10)
    assert len(waited) == 1
    assert waited[0] < 1.2
    assert sorted(int(row["key"]) for row in rows) == list(range(240))


class Cutting(threading.Thread):
    """A proxy to Postgres that hangs up in the middle of the first answers."""

    def __init__(self, to: tuple[str, int], cuts: int) -> None:
        super().__init__(daemon=True)
        self._to = to
        self._cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._cuts -= 1
            threading.Thread(
                target=self._serve, args=(client, self._cuts >= 0), daemon=True
            ).start()

    def _serve(self, client: socket.socket, cut: bool) -> None:
        server = socket.create_connection(self._to)
        threading.Thread(target=self._forward, args=(client, server, 1 << 40), daemon=True).start()
        self._forward(server, client, 20_000 if cut else 1 << 40)

    @staticmethod
    def _forward(one: socket.socket, other: socket.socket, most: int) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while passed < most and (some := one.recv(4096)):
                other.sendall(some)
                passed += len(some)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def cutting(dsn: str) -> Iterator[Any]:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    made: list[Cutting] = []

    def proxy(cuts: int) -> str:
        made.append(Cutting((str(parts["host"]), int(str(parts["port"]))), cuts))
        made[-1].start()
        return psycopg.conninfo.make_conninfo(
            dsn, host="127.0.0.1", port=made[-1].port, sslmode="disable", gssencmode="disable"
        )

    yield proxy
    for each in made:
        each.close()


@pytest.mark.parametrize(("cuts", "whole"), [(2, True), (9, False)])
def test_a_connection_that_is_lost(
    postgres: PostgresSource,
    sql: Sql,
    cutting: Any,
    monkeypatch: pytest.MonkeyPatch,
    cuts: int,
    whole: bool,
) -> None:
    """As when Postgres is restarted in the middle."""
    monkeypatch.setattr(ledger_copy, "_PAUSE_S", 0.01)
    make(sql, "id int, status text, amount int, created_at timestamptz", [])
    sql.execute(
        "INSERT INTO payments SELECT n, 'paid', 1, %s::timestamptz FROM generate_series(1, 9999) n",
        [T0],
    )
    if whole:
        rows, _ = copied(postgres, cutting(cuts), ledger())
        assert len({row["key"] for row in rows}) == 9999
    else:
        with pytest.raises(SourceError) as raised:
            copied(postgres, cutting(cuts), ledger())
        assert raised.value.kind is Failure.CLOSED
