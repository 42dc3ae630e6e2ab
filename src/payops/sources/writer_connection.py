"""A connection for planning and for applying: one transaction at a time, values as text.

Everywhere the same settings decide how the database writes a value as text, whatever the role or
the database has set, so that what a plan saw can be compared with what is there.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from payops.sources.bounded import CutOffError, bounded
from payops.sources.postgres_errors import Server, translate, unreachable

if TYPE_CHECKING:
    from psycopg.sql import Composed

    from payops.config.sources import PostgresSettings

T = TypeVar("T")
Row = dict[str, Any]

GRACE_S = 1.0  # after the server's own limit, so that a server that lives can say that it gave up
_LONGEST_NAME = 63  # bytes of an application_name
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED, {mode};"
    "SET LOCAL statement_timeout = {statement};"
    "SET LOCAL lock_timeout = {lock};"
    "SET LOCAL idle_in_transaction_session_timeout = {idle};"
    "SET LOCAL synchronous_commit = on;"
    "SET LOCAL TimeZone = 'UTC';"
    "SET LOCAL DateStyle = 'ISO, YMD';"
    "SET LOCAL IntervalStyle = 'postgres';"
    "SET LOCAL bytea_output = 'hex';"
    "SET LOCAL extra_float_digits = 1;"
    "SET LOCAL lc_monetary = 'C'"
)


class Connection:
    """One connection; every call is given up in time. Raises psycopg.Error and CutOffError, which
    `told` makes SourceErrors."""

    def __init__(self, settings: PostgresSettings, dsn: str, application: str) -> None:
        self._settings = settings
        self.server = Server.of(dsn)
        self.lost = False
        self.committing = False
        self._limit = float(settings.statement_timeout)
        each = float(settings.connect_timeout)
        conninfo = make_conninfo(
            dsn,
            application_name=application.encode()[:_LONGEST_NAME].decode("utf-8", "ignore"),
            connect_timeout=max(1, math.ceil(each)),
            client_encoding="UTF8",
        )
        with self.told():
            self._connection = bounded(
                each * 2,
                lambda: psycopg.connect(
                    conninfo, autocommit=True, prepare_threshold=None, row_factory=dict_row
                ),
                late=lambda connection: connection.close(),
            )

    @contextmanager
    def told(self) -> Iterator[None]:
        """psycopg's errors come out as SourceErrors, and a lost connection is known as lost."""
        try:
            yield
        except CutOffError as error:
            raise unreachable(self.server, str(error)) from error
        except psycopg.Error as error:
            raise translate(error, self.server) from error

    def begin(self, *, read_only: bool, idle_s: float | None = None) -> None:
        """Start a transaction with its limits; `idle_s` may pass between two calls."""
        self.committing = False
        idle = self._limit + 5 if idle_s is None else idle_s
        self._run(
            _BEGIN.format(
                mode="READ ONLY" if read_only else "READ WRITE",
                statement=_milliseconds(self._limit),
                lock=_milliseconds(min(float(self._settings.lock_timeout), self._limit)),
                idle=round(idle * 1000),
            ).encode()
        )

    def rows(self, query: Composed | bytes, params: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one query."""
        return self._run(query, params, lambda cursor: cursor.fetchall()) or []

    def change(self, query: Composed | bytes, params: Mapping[str, Any] | None = None) -> int:
        """How many rows a statement changed."""
        return self._run(query, params, lambda cursor: cursor.rowcount) or 0

    def names(self, query: Composed, params: Mapping[str, Any] | None = None) -> list[str]:
        """The columns that a query has."""

        def columns(cursor: psycopg.Cursor[Row]) -> list[str]:
            return [column.name for column in cursor.description or ()]

        return self._run(query, params, columns) or []

    def commit(self) -> None:
        """End the transaction for good. While `committing`, a lost connection leaves it open how
        it ended."""
        self.committing = True
        self._run(b"COMMIT")

    def rollback(self) -> None:
        """End the transaction as if it had not been; a connection that cannot is hung up."""
        try:
            if not self.lost:
                self._run(b"ROLLBACK")
        except (psycopg.Error, CutOffError):
            self.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A read-only transaction, its errors told."""
        with self.told():
            try:
                self.begin(read_only=True)
                yield
            finally:
                self.rollback()

    def close(self) -> None:
        """Hang up."""
        self.lost = True
        with suppress(psycopg.Error, OSError):
            self._connection.close()

    def _run(
        self,
        query: Composed | bytes,
        params: Mapping[str, Any] | None = None,
        take: Callable[[psycopg.Cursor[Row]], T] | None = None,
    ) -> T | None:
        if self.lost:
            raise psycopg.OperationalError("the connection is lost")

        def call() -> T | None:
            with self._connection.cursor() as cursor:
                cursor.execute(query, params)
                return take(cursor) if take else None

        try:
            return bounded(self._limit + GRACE_S, call, cut=self._cut)
        except CutOffError:
            self.lost = True
            raise
        except psycopg.Error:
            self.lost = self._connection.broken or self._connection.closed
            raise

    def _cut(self) -> None:
        sock = socket.socket(fileno=os.dup(self._connection.fileno()))
        try:
            sock.shutdown(socket.SHUT_RDWR)
        finally:
            sock.close()


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
