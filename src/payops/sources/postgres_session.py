"""One connection to Postgres, asked one read-only question at a time.

Nothing is set for the session: behind a pooler such as pgbouncer the server's session belongs to
the application too, and a `default_transaction_read_only` left there would stop its writes. Each
question is a transaction of its own that is READ ONLY and carries its limits with SET LOCAL.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row

from payops.sources.bounded import CutOffError, bounded

if TYPE_CHECKING:
    from psycopg.sql import Composed

    from payops.config.sources import PostgresSettings

T = TypeVar("T")

# After the server's own limit, so that a server that lives can say itself that it gave up.
GRACE_S = 0.3

_BEGIN = (
    "BEGIN TRANSACTION READ ONLY;"
    "SET LOCAL statement_timeout = {statement};"
    "SET LOCAL lock_timeout = {lock};"
    "SET LOCAL idle_in_transaction_session_timeout = {idle};"
    "SET LOCAL TimeZone = 'UTC';"
    "SELECT now()"
)


@dataclass(frozen=True)
class Told(Generic[T]):
    """Rows, the server's clock (aware UTC) and the milliseconds that the query took."""

    rows: list[T]
    now: datetime
    latency_ms: float


class Session:
    """A connection; `broken` when it can be asked no more."""

    def __init__(self, connection: psycopg.Connection[Any], settings: PostgresSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._given_up = False

    @classmethod
    def open(cls, settings: PostgresSettings, at_most: float) -> Session:
        """Connect within `at_most` seconds. Raises psycopg.Error or CutOffError."""
        dsn = settings.dsn.reveal()
        each = min(settings.connect_timeout, at_most)
        total = min(at_most, each * _addresses(dsn))
        conninfo = make_conninfo(
            dsn, application_name="payops", connect_timeout=max(1, math.ceil(each))
        )
        connection = bounded(
            total,
            lambda: psycopg.connect(conninfo, autocommit=True, prepare_threshold=None),
            late=lambda connection: connection.close(),
        )
        return cls(connection, settings)

    @property
    def broken(self) -> bool:
        """Closed, lost, or given up."""
        return self._given_up or self._connection.closed

    @property
    def user(self) -> str:
        """The role that it is connected as."""
        return self._connection.info.user

    def ask(
        self,
        query: Composed,
        params: Mapping[str, Any],
        into: type[T],
        at_most: float,
        *,
        limit: float | None = None,
    ) -> Told[T]:
        """Rows of one query, within `limit` seconds (the settings' statement timeout where it is
        None) and `at_most` seconds.

        Raises psycopg.Error or CutOffError.
        """
        if at_most <= 0:  # nothing was sent, so the connection is as good as before
            raise CutOffError("no time left")
        limit = min(float(limit or self._settings.statement_timeout), at_most)
        begin = _BEGIN.format(
            statement=_milliseconds(limit),
            lock=_milliseconds(min(float(self._settings.lock_timeout), limit)),
            idle=_milliseconds(limit + 1),
        )

        def call() -> Told[T]:
            try:
                return self._transaction(begin, query, params, into)
            except BaseException:
                self._leave()
                raise

        try:
            return bounded(min(limit + GRACE_S, at_most), call, cut=self._cut)
        except CutOffError:
            self._given_up = True
            raise

    def close(self) -> None:
        """Hang up, at once."""
        if not self._given_up:  # else its own thread closes it
            self._connection.close()

    def _transaction(
        self, begin: str, query: Composed, params: Mapping[str, Any], into: type[T]
    ) -> Told[T]:
        with self._connection.cursor() as cursor:
            cursor.execute(begin.encode())
            while cursor.nextset():
                pass
            row = cursor.fetchone()
        now: datetime = row[0] if row else datetime.now(UTC)
        with self._connection.cursor(row_factory=class_row(into)) as asked:
            began = time.monotonic()
            asked.execute(query, params)
            rows = asked.fetchall()
            latency_ms = (time.monotonic() - began) * 1000
        self._connection.execute("COMMIT")
        return Told(rows, now.astimezone(UTC), latency_ms)

    def _leave(self) -> None:
        """End a failed transaction; hang up where that cannot be done."""
        with suppress(psycopg.Error):
            if not self._given_up and not self._connection.broken:
                self._connection.execute("ROLLBACK")
                return
        self._connection.close()

    def _cut(self) -> None:
        """Shut the socket, so that the thread that hangs on it ends."""
        self._given_up = True
        sock = socket.socket(fileno=os.dup(self._connection.fileno()))
        try:
            sock.shutdown(socket.SHUT_RDWR)
        finally:
            sock.close()


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _addresses(dsn: str) -> int:
    """How many addresses may be tried in turn: a name can have two, of IPv6 and IPv4."""
    parts = conninfo_to_dict(dsn)
    hosts = str(parts.get("hostaddr") or parts.get("host") or os.environ.get("PGHOST", ""))
    count = 0
    for host in hosts.split(","):
        literal = not host or host[0] in "/@" or ":" in host or host.replace(".", "").isdigit()
        count += 1 if literal else 2
    return count
