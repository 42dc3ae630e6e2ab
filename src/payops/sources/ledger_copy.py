"""A mapped ledger by `COPY`, as text that the spool takes as it is.

One statement in a read-only transaction of its own: the snapshot is held, and vacuum with it, for
as long as the rows are sent and no longer. A replica that cancels it in favour of replaying is
asked again, in shorter and shorter pieces of the time of creation; so is a server on which
somebody, a migration say, waited for the table.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from payops.errors import Failure, SourceError
from payops.sources.bounded import CutOffError, bounded
from payops.sources.giving_way import GivingWay, giving_way
from payops.sources.ledger_copy_columns import CopyColumns, columns_of
from payops.sources.postgres import query
from payops.sources.postgres_errors import Server, translate, unreachable

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.sources import PostgresSettings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource

# Millions of rows over a slow line. Health's statement timeout is for health's questions.
_STATEMENT_S = 900.0
_GRACE_S = 5.0
# Pieces that a range is cut into when it is cancelled, and how often it may be.
_CUT = 4
_DEEPEST = 4
_MOST_ATTEMPTS = 4
_PAUSE_S = 1.0
_AGAIN = frozenset({Failure.CLOSED, Failure.STARTING_UP, Failure.REFUSED})
_CONFLICT = "40001"

Counted = Callable[[int], None]


@dataclass(frozen=True)
class Copied:
    """How many rows were written, and the server's clock at the first of the snapshots."""

    rows: int
    as_of: datetime


@dataclass(frozen=True)
class LedgerCopy:
    """One ledger, held against the catalog; `copy` may be called long afterwards."""

    settings: PostgresSettings
    ledger: Ledger
    columns: CopyColumns

    @classmethod
    def of(cls, source: PostgresSource, settings: PostgresSettings, ledger: Ledger) -> LedgerCopy:
        """Look the table up. Raises SourceError, SCHEMA when the mapping does not fit."""
        return cls(settings, ledger, columns_of(source, ledger))

    def copy(
        self,
        window: Window,
        into: BinaryIO,
        counted: Counted | None = None,
        deadline: Deadline | None = None,
    ) -> Copied:
        """Append the rows created in `window` as CSV lines without a header.

        `counted` is told now and then how many rows more there are. Raises SourceError: TIMED_OUT
        at the deadline too, whether rows came or not.
        """
        server = Server.of(self.settings.dsn.reveal())
        run = _Run(self, server, into, counted or (lambda rows: None), deadline)
        run.copy(window, 0)
        return Copied(run.rows, run.as_of or datetime.now(UTC))

    def statement(self) -> sql.Composed:
        """The COPY, with its parameters' places."""
        rows = query("ledger_copy", self.columns.expressions())
        return sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(rows)

    def parameters(self, window: Window) -> dict[str, Any]:
        """Values for the statement."""
        return {
            "since": window.since,
            "until": window.until,
            "zone": self.ledger.timezone,
            "currency": self.ledger.currency.lower(),
        }


class _Run:
    """One ledger on its way into a file."""

    def __init__(
        self,
        of: LedgerCopy,
        server: Server,
        into: BinaryIO,
        counted: Counted,
        deadline: Deadline | None,
    ) -> None:
        self._of = of
        self._server = server
        self._into = into
        self._counted = counted
        self._deadline = deadline
        self._connection: psycopg.Connection[Any] | None = None
        self._way = GivingWay()
        self._gave_way = False
        self.rows = 0
        self.as_of: datetime | None = None

    def copy(self, window: Window, depth: int) -> None:
        attempt = 0
        while True:
            attempt += 1
            at, rows = self._into.tell(), self.rows
            try:
                return self._once(window, may_give_way=depth < _DEEPEST)
            except SourceError as error:
                self._into.seek(at)
                self._into.truncate()
                self._counted(rows - self.rows)
                self.rows = rows
                if (error.code == _CONFLICT or self._way.gave_way) and depth < _DEEPEST:
                    if self._way.gave_way:  # they have their turn
                        self._gave_way = True
                        time.sleep(self._within(_PAUSE_S))
                    for each in _cut(window):
                        self.copy(each, depth + 1)
                    return None
                theirs = self._gave_way and error.kind is Failure.LOCK_TIMEOUT
                if not (theirs or error.kind in _AGAIN) or attempt >= _MOST_ATTEMPTS:
                    raise
                pause = _PAUSE_S * 2 ** (attempt - 1)
                if self._within(pause) < pause:  # there would be no time to ask again
                    raise
                time.sleep(pause)

    def _once(self, window: Window, *, may_give_way: bool) -> None:
        self._way = GivingWay()
        try:
            seconds = self._within(_STATEMENT_S + _GRACE_S)
            bounded(seconds, lambda: self._copy(window, may_give_way), cut=self._cut)
        except CutOffError as error:
            raise unreachable(self._server, str(error)) from error
        except psycopg.Error as error:
            raise translate(error, self._server) from error
        except BaseException:
            with suppress(Exception):  # ^C or a full disk: the server shall not go on sending
                self._cut()
            raise
        finally:
            self._connection = None

    def _within(self, seconds: float) -> float:
        return seconds if self._deadline is None else self._deadline.within(seconds)

    def _copy(self, window: Window, may_give_way: bool) -> None:
        with self._connect() as connection:
            self._connection = connection
            with connection.cursor() as cursor:
                cursor.execute(_begin(self._of.settings.lock_timeout).encode())
                while cursor.nextset():
                    pass
                now, pid = cursor.fetchone() or (datetime.now(UTC), 0)
            if self.as_of is None:
                self.as_of = now.astimezone(UTC)
            if may_give_way:
                with giving_way(connection, pid, self._connect, self._way):
                    self._read(connection, window)
            else:
                self._read(connection, window)
            connection.execute("COMMIT")

    def _connect(self) -> psycopg.Connection[Any]:
        settings = self._of.settings
        conninfo = make_conninfo(
            settings.dsn.reveal(),
            application_name="payops",
            connect_timeout=max(1, round(settings.connect_timeout)),
        )
        return psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)

    def _read(self, connection: psycopg.Connection[Any], window: Window) -> None:
        with connection.cursor() as cursor:
            statement, given = self._of.statement(), self._of.parameters(window)
            with cursor.copy(statement, given) as copy:
                told, pending = time.monotonic(), 0
                for block in copy:
                    self._into.write(block)
                    pending += 1  # libpq gives a row at a time
                    if pending >= 5000 or time.monotonic() - told > 1:
                        self.rows += pending
                        self._counted(pending)
                        told, pending = time.monotonic(), 0
                self.rows += pending
                self._counted(pending)

    def _cut(self) -> None:
        """Shut the socket: the server ends the statement when it cannot send."""
        connection = self._connection
        if connection is None or connection.closed:
            return
        sock = socket.socket(fileno=os.dup(connection.fileno()))
        try:
            sock.shutdown(socket.SHUT_RDWR)
        finally:
            sock.close()


def _begin(lock_timeout: float) -> str:
    statement, idle = round(_STATEMENT_S * 1000), round((_STATEMENT_S + _GRACE_S) * 1000)
    return (
        "BEGIN TRANSACTION READ ONLY;"
        f"SET LOCAL statement_timeout = {statement};"
        f"SET LOCAL lock_timeout = {max(1, round(lock_timeout * 1000))};"
        f"SET LOCAL idle_in_transaction_session_timeout = {idle};"
        "SET LOCAL TimeZone = 'UTC';"
        "SET LOCAL DateStyle = 'ISO';"
        "SET LOCAL extra_float_digits = 1;"
        "SELECT now(), pg_backend_pid()"
    )


def _cut(window: Window) -> list[Window]:
    from payops.domain.window import Window

    step = window.length / _CUT
    if step < timedelta(milliseconds=1):
        return [window]
    edges = [window.since + step * number for number in range(_CUT)]
    return [Window(*pair) for pair in zip(edges, [*edges[1:], window.until], strict=True)]
