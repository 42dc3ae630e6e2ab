"""The Postgres source over a real server, and over servers that hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql as psql

from payops.domain.deadline import Deadline
from payops.errors import Failure, SourceError
from payops.lab.servers.postgres import PostgresServer
from payops.sources import postgres as postgres_module
from payops.sources.postgres import PostgresSource
from payops.sources.postgres_errors import Server, translate
from sources.conftest import postgres_of
from sources.hanging import (
    Proxy,
    at_most,
    closing,
    dripping,
    free_port,
    resetting,
    saying,
    serving,
    silent,
)


@dataclass(frozen=True)
class One:
    value: Any


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[One]]:
    """`ask(source, "SELECT 1 AS value")`, through the same way as the SQL files."""

    def run(source: PostgresSource, text: str, **params: Any) -> list[One]:
        query = postgres_module.query

        def replaced(name: str, identifiers: Any) -> psql.Composed:
            return psql.SQL(text).format() if name == "anything" else query(name, identifiers)

        monkeypatch.setattr(postgres_module, "query", replaced)
        try:
            return source.rows("anything", One, **params)
        finally:
            monkeypatch.undo()

    return run


Ask = Callable[..., list[One]]


def fails(call: Callable[[], Any]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        call()
    assert caught.value.source == "postgres"
    assert caught.value.hint, str(caught.value)
    return caught.value


def url(server: PostgresServer, **changed: Any) -> str:
    """The owner's DSN with another user, password, port or database."""
    parts = urlsplit(server.dsn)
    have = {
        "user": parts.username,
        "password": parts.password,
        "host": parts.hostname,
        "port": parts.port,
        "dbname": parts.path.strip("/"),
    }
    return " ".join(f"{name}='{value}'" for name, value in (have | changed).items())


def test_server(postgres: PostgresSource) -> None:
    facts = postgres.server()
    assert facts.version.split(".")[0].isdigit()
    assert not facts.in_recovery
    assert facts.replay_lag_s is None
    assert facts.max_connections == 50
    assert facts.reserved == 3 + 5  # the superuser's, and the lab's own
    assert facts.available == 42
    assert sum(facts.states.values()) == facts.connections >= 1
    assert facts.states["active"] >= 1
    assert abs(facts.now - datetime.now(UTC)) < timedelta(seconds=2)
    assert facts.now.utcoffset() == timedelta(0)


def test_others_connections_count_for_a_role_that_may_not_look_into_them(
    postgres_server: PostgresServer, sql: psycopg.Connection[Any]
) -> None:
    sql.execute("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN PASSWORD 'plain-pass'")
    held = [psycopg.connect(postgres_server.dsn) for _ in range(3)]
    place = urlsplit(postgres_server.dsn)
    source = postgres_of(f"postgresql://plain:plain-pass@{place.hostname}:{place.port}/postgres")
    try:
        facts = source.server()
    finally:
        source.close()
        for connection in held:
            connection.close()
    assert facts.connections >= 4, "held, the fixture's and its own"
    assert facts.states["hidden"] >= 3
    sql.execute("DROP ROLE plain")


def test_nothing_can_be_written(postgres: PostgresSource, sql: Any, ask: Ask) -> None:
    sql.execute("CREATE TABLE t (x int)")
    error = fails(lambda: ask(postgres, "INSERT INTO t VALUES (1) RETURNING x AS value"))
    assert error.code == "25006"
    assert not error.does_not_answer
    assert ask(postgres, "SELECT count(*) AS value FROM t") == [One(0)]


def test_settings_hold_in_the_transaction_and_leave_no_trace(
    postgres: PostgresSource, ask: Ask
) -> None:
    def setting(name: str) -> Any:
        return ask(postgres, f"SELECT current_setting('{name}') AS value")[0].value

    assert setting("transaction_read_only") == "on"
    assert setting("statement_timeout") == "2s"
    assert setting("lock_timeout") == "200ms"
    assert setting("idle_in_transaction_session_timeout") == "3s"
    assert setting("TimeZone") == "UTC"
    assert setting("application_name") == "payops"
    session = postgres._pool._idle[0]._connection
    for name in ("default_transaction_read_only", "statement_timeout"):
        row = session.execute(f"SHOW {name}").fetchone()
        assert row in (("off",), ("0",))


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"password": "wrong-password"}, Failure.AUTHENTICATION),
        ({"password": ""}, Failure.AUTHENTICATION),
        ({"user": "nobody"}, Failure.AUTHENTICATION),
        ({"dbname": "nowhere"}, Failure.DATABASE_MISSING),
        ({"port": "{free}"}, Failure.REFUSED),
        ({"host": "no-such-host.invalid"}, Failure.DNS),
        ({"host": "/no/such/folder"}, Failure.REFUSED),
        ({"sslmode": "require"}, Failure.TLS),
        ({"sslmode": "verify-full", "sslrootcert": "/no/such/ca.pem"}, Failure.TLS),
    ],
)
def test_connecting(postgres_server: PostgresServer, changed: Any, kind: Failure) -> None:
    dsn = url(postgres_server, **changed).replace("{free}", str(free_port()))
    source = postgres_of(dsn)
    error = fails(source.server)
    assert error.kind is kind, str(error)
    assert error.does_not_answer
    assert "wrong-password" not in str(error) + error.hint
    source.close()


def test_of_several_addresses_the_one_that_answers_is_reported(
    postgres_server: PostgresServer,
) -> None:
    port = urlsplit(postgres_server.dsn).port
    dsn = url(
        postgres_server,
        host="127.0.0.1,127.0.0.1,no-such-host.invalid",
        port=f"{free_port()},{port},5432",
        password="wrong-password",
    )
    assert fails(postgres_of(dsn).server).kind is Failure.AUTHENTICATION


@pytest.mark.parametrize(
    "dsn", ["postgres//x", "host=a pass word=tip-top", "postgresql://a:b:c@d:e/"]
)
def test_a_dsn_that_cannot_be_read(dsn: str) -> None:
    error = fails(lambda: postgres_of(dsn).server())
    assert error.kind is Failure.REJECTED
    assert "tip-top" not in str(error)


def test_permission_gives_the_grant(postgres_server: PostgresServer, sql: Any, ask: Ask) -> None:
    sql.execute("CREATE ROLE \"Poor\" LOGIN PASSWORD 'poor-password'")
    sql.execute('CREATE TABLE "Pay ments" (x int)')
    try:
        source = postgres_of(url(postgres_server, user="Poor", password="poor-password"))
        sql.execute('GRANT USAGE ON SCHEMA case_ TO "Poor"')
        error = fails(lambda: ask(source, 'SELECT x AS value FROM case_."Pay ments"'))
        assert error.kind is Failure.PERMISSION
        assert 'GRANT SELECT ON "Pay ments" TO "Poor";' in error.hint
        sql.execute('REVOKE USAGE ON SCHEMA case_ FROM "Poor"')
        error = fails(lambda: ask(source, 'SELECT x AS value FROM case_."Pay ments"'))
        assert 'GRANT USAGE ON SCHEMA case_ TO "Poor";' in error.hint
        assert source.server().connections  # and the connection is still good
        source.close()
    finally:
        sql.execute('REVOKE ALL ON SCHEMA case_ FROM "Poor"; DROP ROLE "Poor"')


def test_schema_errors_name_the_nearest(postgres: PostgresSource, sql: Any, ask: Ask) -> None:
    sql.execute("CREATE TABLE payments (processor_ref text)")
    error = fails(lambda: ask(postgres, "SELECT 1 AS value FROM paymnts"))
    assert error.kind is Failure.SCHEMA
    assert "did you mean payments?" in error.hint
    error = fails(lambda: ask(postgres, "SELECT procesor_ref AS value FROM payments"))
    assert "did you mean payments.processor_ref?" in error.hint
    error = fails(lambda: ask(postgres, "SELECT zzzzzz AS value FROM payments"))
    assert "did you mean" not in error.hint


def test_statement_and_lock_timeout(postgres_server: PostgresServer, sql: Any, ask: Ask) -> None:
    sql.execute("CREATE TABLE t (x int)")
    source = postgres_of(postgres_server.dsn, statement_timeout=0.3, lock_timeout=0.1)
    with at_most(0.3):
        error = fails(lambda: ask(source, "SELECT pg_sleep(5) AS value"))
    assert error.kind is Failure.STATEMENT_TIMEOUT
    with sql.transaction():
        sql.execute("LOCK TABLE t")
        error = fails(lambda: ask(source, "SELECT x AS value FROM t"))
    assert error.kind is Failure.LOCK_TIMEOUT
    assert ask(source, "SELECT 1 AS value") == [One(1)]
    source.close()


def test_a_migration_waits_no_longer_than_the_statement_timeout(
    postgres_server: PostgresServer, sql: Any, ask: Ask
) -> None:
    """The slowest question there can be holds the weakest lock, and for so long alone: ALTER TABLE
    waits for it, and behind that every writer."""
    sql.execute("CREATE TABLE payments (id int); INSERT INTO payments VALUES (1)")
    source = postgres_of(postgres_server.dsn, statement_timeout=0.5)
    kinds: list[Failure] = []

    def asking() -> None:
        with pytest.raises(SourceError) as raised:
            ask(source, "SELECT pg_sleep(30)::text AS value FROM payments")
        kinds.append(raised.value.kind)

    thread = threading.Thread(target=asking)
    thread.start()
    holding = "SELECT FROM pg_locks WHERE relation = 'payments'::regclass AND mode = %s"
    limit = time.monotonic() + 5
    while not sql.execute(holding, ["AccessShareLock"]).rowcount:
        assert time.monotonic() < limit
    began = time.monotonic()
    sql.execute("SET lock_timeout = '5s'; ALTER TABLE payments ADD COLUMN note text")
    waited = time.monotonic() - began
    thread.join(timeout=10)
    source.close()
    assert kinds == [Failure.STATEMENT_TIMEOUT]
    assert 0.1 < waited < 1.0


def test_the_deadline_cuts_a_query(postgres_server: PostgresServer, ask: Ask) -> None:
    source = postgres_of(postgres_server.dsn, seconds=0.6)
    with at_most(0.6):
        error = fails(lambda: ask(source, "SELECT pg_sleep(5) AS value"))
    assert error.kind in (Failure.TIMED_OUT, Failure.STATEMENT_TIMEOUT)
    source.close()


def test_no_time_left_is_no_harm_to_the_connection(
    postgres_server: PostgresServer, ask: Ask
) -> None:
    source = postgres_of(postgres_server.dsn)
    ask(source, "SELECT 1 AS value")
    session = source._pool._idle[0]
    source._deadline = Deadline.after(0)
    with at_most(0):
        assert fails(source.server).kind is Failure.TIMED_OUT
    assert source._pool._idle == [session]
    source.close()


def test_terminated_by_an_administrator(
    postgres_server: PostgresServer, sql: Any, ask: Ask
) -> None:
    source = postgres_of(postgres_server.dsn)
    ask(source, "SELECT 1 AS value")
    sql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'payops'"
    )
    time.sleep(0.1)
    assert fails(lambda: ask(source, "SELECT 1 AS value")).kind is Failure.CLOSED
    assert ask(source, "SELECT 1 AS value") == [One(1)]
    source.close()


def test_no_slot_left(postgres_server: PostgresServer, sql: Any) -> None:
    sql.execute("CREATE ROLE crowd LOGIN PASSWORD 'crowd-password' CONNECTION LIMIT 1")
    dsn = url(postgres_server, user="crowd", password="crowd-password")
    try:
        with psycopg.connect(dsn):
            assert fails(postgres_of(dsn).server).kind is Failure.TOO_MANY_CONNECTIONS
    finally:
        sql.execute("DROP ROLE crowd")


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (silent, Failure.TIMED_OUT),
        (dripping(b"R\x00\x00\x01\x00" + b"x" * 300), Failure.TIMED_OUT),
        (closing, Failure.CLOSED),
        (resetting, Failure.CLOSED),
    ],
)
def test_servers_that_hang_while_connecting(behave: Any, kind: Failure) -> None:
    with serving(behave) as port, at_most(0.5):
        dsn = f"postgresql://a:b-password@127.0.0.1:{port}/d?sslmode=disable"
        error = fails(postgres_of(dsn, connect_timeout=0.5).server)
    assert error.kind is kind, str(error)


def test_a_server_that_is_no_postgres() -> None:
    with serving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = fails(postgres_of(f"host=127.0.0.1 port={port} sslmode=disable").server)
    assert error.does_not_answer


def test_a_server_that_hangs_in_the_middle_of_a_query(
    postgres_server: PostgresServer, ask: Ask
) -> None:
    proxy = Proxy(urlsplit(postgres_server.dsn).port or 0)
    with serving(proxy) as port:
        source = postgres_of(url(postgres_server, port=port), statement_timeout=0.4)
        assert ask(source, "SELECT 1 AS value") == [One(1)]
        proxy.freeze()
        with at_most(0.7):
            assert fails(lambda: ask(source, "SELECT 1 AS value")).kind is Failure.TIMED_OUT
        proxy.thaw()
        assert ask(source, "SELECT 1 AS value") == [One(1)]  # on a new connection
        source.close()


def test_one_connection_is_enough_for_many_quick_checks(
    postgres_server: PostgresServer, sql: Any, ask: Ask
) -> None:
    assert in_parallel(postgres_of(postgres_server.dsn), [0.0] * 8) == 1


def test_a_slow_check_makes_others_take_a_second_connection(
    postgres_server: PostgresServer,
) -> None:
    began = time.monotonic()
    assert in_parallel(postgres_of(postgres_server.dsn), [1.0, 0.0, 0.0]) == 2
    assert time.monotonic() - began < 2


def test_never_more_than_three(postgres_server: PostgresServer) -> None:
    assert in_parallel(postgres_of(postgres_server.dsn), [0.6] * 6) == 3


def in_parallel(source: PostgresSource, seconds: list[float]) -> int:
    """Sleep so long in as many threads; how many connections that took."""
    opened = []
    connect = source._pool._connect

    def counted(at_most: float) -> Any:
        opened.append(at_most)
        return connect(at_most)

    source._pool._connect = counted
    text = "SELECT pg_sleep(%(s)s) IS NULL AS value"

    def run(s: float) -> None:
        source._ask(psql.SQL(text).format(), {"s": s}, One, explain=False)

    threads = [threading.Thread(target=run, args=(s,)) for s in seconds]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    source.close()
    return len(opened)


def test_whoever_waits_for_a_connection_shares_its_failure() -> None:
    with serving(silent) as port:
        dsn = f"host=127.0.0.1 port={port} sslmode=disable"
        source = postgres_of(dsn, connect_timeout=0.5)
        with at_most(1.0):
            threads = [threading.Thread(target=lambda: fails(source.server)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("28P01", Failure.AUTHENTICATION),
        ("28000", Failure.AUTHENTICATION),
        ("3D000", Failure.DATABASE_MISSING),
        ("42501", Failure.PERMISSION),
        ("53300", Failure.TOO_MANY_CONNECTIONS),
        ("57P03", Failure.STARTING_UP),
        ("57P01", Failure.CLOSED),
        ("57014", Failure.STATEMENT_TIMEOUT),
        ("55P03", Failure.LOCK_TIMEOUT),
        ("42P01", Failure.SCHEMA),
        ("42703", Failure.SCHEMA),
        ("53200", Failure.SERVER_ERROR),
        ("XX000", Failure.SERVER_ERROR),
        ("25006", Failure.REJECTED),
        ("22P02", Failure.REJECTED),
    ],
)
def test_each_sqlstate_is_a_kind(state: str, kind: Failure) -> None:
    error = psycopg.errors.lookup(state)("boom")
    assert translate(error, Server("db:5432", "shop", "app")).kind is kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('FATAL:  password authentication failed for user "a"', Failure.AUTHENTICATION),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", no encryption', Failure.AUTHENTICATION),
        ("fe_sendauth: no password supplied", Failure.AUTHENTICATION),
        ('FATAL:  role "a" does not exist', Failure.AUTHENTICATION),
        ('FATAL:  database "x" does not exist', Failure.DATABASE_MISSING),
        ("FATAL:  sorry, too many clients already", Failure.TOO_MANY_CONNECTIONS),
        ("FATAL:  remaining connection slots are reserved for", Failure.TOO_MANY_CONNECTIONS),
        ("ERROR:  no more connections allowed (max_client_conn)", Failure.TOO_MANY_CONNECTIONS),
        ("FATAL:  the database system is starting up", Failure.STARTING_UP),
        ("FATAL:  the database system is shutting down", Failure.STARTING_UP),
        ("FATAL:  the database system is not yet accepting connections", Failure.STARTING_UP),
        ('FATAL:  permission denied for database "x"', Failure.PERMISSION),
        ("Connection refused\n\tIs the server running on that host", Failure.REFUSED),
        ("connection timeout expired", Failure.TIMED_OUT),
        ("No route to host", Failure.UNREACHABLE),
        ("Network is unreachable", Failure.UNREACHABLE),
        ("[Errno -2] Name or service not known", Failure.DNS),
        ("server does not support SSL, but SSL was required", Failure.TLS),
        ("SSL error: certificate verify failed", Failure.TLS),
        ("server closed the connection unexpectedly", Failure.CLOSED),
        ("gibberish", Failure.UNREACHABLE),
    ],
)
def test_each_word_of_libpq_is_a_kind(words: str, kind: Failure) -> None:
    text = f'connection to server at "10.0.0.1", port 5432 failed: {words}'
    assert translate(psycopg.OperationalError(text), Server("db:5432", "shop", "app")).kind is kind


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            'connection failed: connection to server at "db", port 5432 failed: Connection refused',
            "db:5432: Connection refused",
        ),
        (
            'connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  too many clients',
            "db:5432: too many clients",
        ),
        ("server closed the connection unexpectedly", None),
        (
            'failed: root certificate file "/x" does not exist\nEither provide the certificate',
            'db:5432: failed: root certificate file "/x" does not exist',
        ),
    ],
)
def test_libpq_repeats_whom_it_asked_and_we_do_not(words: str, said: str | None) -> None:
    error = translate(psycopg.OperationalError(words), Server("db:5432", "shop", "app"))
    assert error.message == (said or f"db:5432: {words}")


@pytest.mark.parametrize(
    ("dsn", "command"),
    [
        ("postgresql://a:s3cret@db.example/shop", "pg_isready -h db.example -p 5432"),
        ("host=/var/run/postgresql dbname=x", "pg_isready -h /var/run/postgresql"),
        ("postgresql://a@[::1]:5433/shop", "pg_isready -h ::1 -p 5433"),
        ("host=a,b port=1,2", ""),
        ("host='a b;rm'", "pg_isready -h 'a b;rm' -p 5432"),
    ],
)
def test_the_command_that_asks_by_hand(dsn: str, command: str) -> None:
    error = translate(psycopg.OperationalError("Connection refused"), Server.of(dsn))
    assert error.by_hand == command
    refused = translate(psycopg.OperationalError("password authentication failed"), Server.of(dsn))
    assert refused.by_hand == "", "the server is there; whether it is says nothing"
