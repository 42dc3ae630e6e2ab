"""Puts a history into the simulator's file format, a real Postgres and a real Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import redis
from psycopg import sql

from payops.errors import LabError
from payops.lab.history.history import History
from payops.lab.history.ledger_side import PaymentRow, RefundRow, WebhookEventRow

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
    try:
        with psycopg.connect(dsn) as connection:
            connection.execute(schema)
    except psycopg.Error as error:
        raise LabError(f"the shop's tables could not be created: {error}") from error


def write_ledger(history: History, dsn: str) -> None:
    """Copy payments, refunds and the event log into the shop's empty tables, all or nothing.

    Raises LabError, also when the tables already hold rows of this history.
    """
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            with connection.transaction(), connection.cursor() as cursor:
                _copy(cursor, "payments", PaymentRow, map(astuple, history.payments))
                _copy(cursor, "refunds", RefundRow, map(astuple, history.refunds))
                _copy(cursor, "webhook_events", WebhookEventRow, _log(history), "payload")
            # Fresh statistics, so that the first health query already uses the indexes.
            connection.execute("ANALYZE payments, refunds, webhook_events")
    except psycopg.Error as error:
        raise LabError(f"the history could not be written to Postgres: {error}") from error


def write_redis(history: History, url: str) -> None:
    """Set what the shop would have in Redis, with the time it has left. Raises LabError."""
    client = redis.Redis.from_url(url)
    try:
        strings = iter(history.redis_strings.items())
        while batch := list(islice(strings, _BATCH)):
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


def _copy(
    cursor: psycopg.Cursor[Any],
    table: str,
    kind: type[PaymentRow] | type[RefundRow] | type[WebhookEventRow],
    rows: Iterable[tuple[object, ...]],
    *more: str,
) -> None:
    names = [*(field.name for field in fields(kind)), *more]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
