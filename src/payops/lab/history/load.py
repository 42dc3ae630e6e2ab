"""Puts a history into the simulator's file format, a real Postgres and a real Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, fields
from importlib import resources
from itertools import islice
from pathlib import Path

import msgspec
import psycopg
import redis
from psycopg import sql

from payops.errors import LabError
from payops.lab.history.history import History
from payops.lab.history.ledger_side import PaymentRow, RefundRow, WebhookEventRow
from payops.lab.history.table import Table

_BATCH = 2_000


def write_ndjson(history: History, path: Path) -> int:
    """Write every Stripe object of `history` to `path`, one JSON document a line; their number."""
    encode = msgspec.json.Encoder().encode
    count = 0
    with path.open("wb") as file:
        for made in history.stripe_objects():
            file.write(encode(made) + b"\n")
            count += 1
    return count


def create_schema(dsn: str) -> None:
    """Create the shop's tables where they are missing. Raises LabError."""
    schema = resources.files("payops.lab.merchant").joinpath("schema.sql").read_text("utf-8")
    run_schema(dsn, [schema])


def run_schema(dsn: str, statements: Iterable[str]) -> None:
    """Create a system's tables, all or nothing. Raises LabError."""
    try:
        with psycopg.connect(dsn) as connection:
            for statement in statements:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        raise LabError(f"the shop's tables could not be created: {error}") from error


def write_ledger(history: History, dsn: str) -> None:
    """Copy payments, refunds and the event log into the shop's empty tables, all or nothing.

    Raises LabError, also when the tables already hold rows of this history.
    """
    write_tables(ledger_tables(history), dsn)


def ledger_tables(history: History) -> Iterator[Table]:
    """The rows of the reference shop's three tables."""
    yield Table("payments", _names(PaymentRow), map(astuple, history.payments))
    yield Table("refunds", _names(RefundRow), map(astuple, history.refunds))
    yield Table("webhook_events", (*_names(WebhookEventRow), "payload"), _log(history))


def write_tables(tables: Iterable[Table], dsn: str) -> None:
    """Copy rows into the system's empty tables, in this order, all or nothing. Raises LabError."""
    written: list[sql.Identifier] = []
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            with connection.transaction(), connection.cursor() as cursor:
                for table in tables:
                    name = sql.Identifier(table.name)
                    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                        name, sql.SQL(", ").join(map(sql.Identifier, table.columns))
                    )
                    with cursor.copy(statement) as copy:
                        for row in table.rows:
                            copy.write_row(row)
                    written.append(name)
                    _count_on(connection, table.name)
            # Fresh statistics, so that the first health query already uses the indexes.
            if written:
                connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(written)))
    except psycopg.Error as error:
        raise LabError(f"the history could not be written to Postgres: {error}") from error


def _count_on(connection: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Let the keys that the database gives begin after those that were copied."""
    query = "SELECT pg_get_serial_sequence(quote_ident(%s), 'id')"
    found = connection.execute(query, (table,)).fetchone()
    if found and found[0]:
        connection.execute(
            sql.SQL("SELECT setval(%s, coalesce(max(id), 0) + 1, false) FROM {}").format(
                sql.Identifier(table)
            ),
            (found[0],),
        )


def write_redis(history: History, url: str) -> None:
    """Set what the shop would have in Redis, with the time it has left. Raises LabError."""
    write_strings(history.redis_strings, url)


def write_strings(strings: Mapping[str, tuple[str | bytes, int | None]], url: str) -> None:
    """Set keys: value, and seconds left to live (None: for ever). Raises LabError."""
    client = redis.Redis.from_url(url)
    try:
        waiting = iter(strings.items())
        while batch := list(islice(waiting, _BATCH)):
            pipeline = client.pipeline(transaction=False)
            for key, (value, seconds_left) in batch:
                pipeline.set(key, value, ex=seconds_left)
            pipeline.execute()
    except redis.RedisError as error:
        raise LabError(f"the history could not be written to Redis: {error}") from error
    finally:
        client.close()


def _log(history: History) -> Iterator[tuple[object, ...]]:
    encode = msgspec.json.Encoder().encode
    for row, event in zip(history.webhook_events, history.events(), strict=True):
        yield (*_values(row), encode(event).decode())


def _values(row: WebhookEventRow) -> tuple[object, ...]:
    return astuple(row)


def _names(kind: type[PaymentRow] | type[RefundRow] | type[WebhookEventRow]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
