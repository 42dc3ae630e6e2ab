"""The only writer: applies one change at a time by compare-and-set, by `postgres.write_dsn`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from payops.domain.plan import Change, Values
from payops.domain.plan_outcome import Outcome, Result, Words, difference, same, shown
from payops.domain.text import harmless, shortened
from payops.errors import NotConfiguredError, RefusedError, SourceError
from payops.sources.bounded import CutOffError
from payops.sources.postgres import query
from payops.sources.postgres_errors import translate, unreachable
from payops.sources.writer_connection import Connection, Row
from payops.sources.writer_lock import Lock
from payops.sources.writer_statement import Statement, statement_of
from payops.sources.writer_table import Table, read_table

if TYPE_CHECKING:
    from payops.config.sources import PostgresSettings

_LONGEST = 300
_STILL_RUNNING_S = 5.0  # the server's side of a killed payops may take a moment to end
# The database's own rules said no: constraints (class 23), and what a trigger raises.
_AGAINST_RULES = ("23", "P0001")


@dataclass(frozen=True)
class Database:
    """What the write connection points at. `fingerprints` are all that it answers to."""

    name: str
    fingerprints: tuple[str, ...]
    server: str


class PostgresWriter:
    """Applies changes. Two connections: one holds the lock, the other works.

    Every method raises SourceError when the database does not answer.
    """

    words = Words()

    def __init__(self, settings: PostgresSettings, operator: str) -> None:
        if settings.write_dsn is None:
            raise NotConfiguredError(
                "postgres.write_dsn is not configured, and nothing is changed by postgres.dsn",
                hint="add postgres.write_dsn: a role that may write the ledger's tables, on the "
                "primary; it is used by apply and undo alone",
            )
        self._settings = settings
        self._dsn = settings.write_dsn.reveal()
        self._application = f"payops apply {operator}"
        self._work: Connection | None = None
        self._guard: Lock | None = None
        self._tables: dict[str, Table] = {}

    def database(self) -> Database:
        """Which database it is. Raises RefusedError when nothing can be written there."""
        work = self._connection()
        with work.reading():
            row, prints = read_fingerprints(work)
        if row["in_recovery"]:
            raise RefusedError(
                f"postgres.write_dsn points at {work.server.host}, a replica",
                hint="nothing can be written there: give the primary's address",
            )
        return Database(row["database"], prints, work.server.host)

    def take_lock(self) -> None:
        """Be the only `payops apply` on this database until `close`. Raises RefusedError naming
        who is at work, and since when."""
        self._guard = Lock(self._settings, self._dsn, self._application)
        self._guard.take()

    def still_locked(self) -> None:
        """Raises SourceError when the connection that holds the lock is gone, and with it the
        lock."""
        if self._guard is not None:
            self._guard.still_held()

    def hindrance(self) -> str:
        """Nothing stands in the way of the next change."""
        return ""

    def apply(
        self, change: Change, ready: Callable[[int], None], *, dry_run: bool = False
    ) -> Outcome:
        """One compare-and-set in a transaction of its own.

        `ready` is called with the transaction's number when the row is as the plan saw it and
        nothing is written yet; what it raises ends the transaction and comes out. A dry run does
        everything, and rolls it back.
        """
        work = self._connection()
        try:
            try:
                return self._attempt(work, change, None if dry_run else ready)
            finally:
                if not work.committing:
                    work.rollback()
        except CutOffError as error:
            return _lost(unreachable(work.server, str(error)), work.committing)
        except psycopg.Error as error:
            found = translate(error, work.server)
            if work.lost:
                return _lost(found, work.committing)
            work.rollback()
            return _failed(error, found)
        except SourceError as error:
            return Outcome(Result.FAILED, str(error))

    def _attempt(
        self, work: Connection, change: Change, ready: Callable[[int], None] | None
    ) -> Outcome:
        """In a transaction of its own; without `ready` it is left open, to be rolled back."""
        work.begin(read_only=False)
        table = self._table(work, change)
        if statement_of(change, table) != change.statement:
            return Outcome(
                Result.REFUSED,
                "the statement in the plan is not what would run: the table has changed, or the "
                "plan was not made by payops; plan again",
            )
        if change.kind == "insert" and ready and not _guarded(change, table):
            work.change(Statement(table).lock())
        if (verdict := self._verdict(work, change, table)) is not None:
            return verdict
        if ready is not None:
            ready(work.rows(b"SELECT txid_current() AS number")[0]["number"])
        statement = Statement(table)
        changed = work.change(statement.of(change), statement.params)
        if changed != 1:
            just_now = "the row was changed by somebody else in this very moment"
            why = f"the statement hits {changed} rows" if changed else just_now
            return Outcome(Result.REFUSED, why)
        work.change(b"SET CONSTRAINTS ALL IMMEDIATE")
        row = next(iter(self._rows(work, change, table)), None)
        now = _values(change, row)
        if ready is None:
            return Outcome(Result.WOULD, now=now)
        work.commit()
        whole = _hash(change, row) if change.kind == "insert" else ""
        return Outcome(Result.DONE, _unlike(change, now), now=now, row=whole)

    def look(self, change: Change) -> Outcome:
        """What applying it would meet, from reading alone: WOULD when the row is as the plan saw
        it, ALREADY or REFUSED."""
        work = self._connection()
        with work.reading():
            table = self._table(work, change)
            return self._verdict(work, change, table) or Outcome(Result.WOULD)

    def ended(self, number: int) -> str:
        """How a transaction ended: `committed`, `aborted`, or nothing when it is too long ago to
        tell. Waits a little for one that is still running, then raises RefusedError."""
        work = self._connection()
        until = time.monotonic() + _STILL_RUNNING_S
        while True:
            with work.reading():
                newest = work.rows(b"SELECT txid_snapshot_xmax(txid_current_snapshot()) AS n")
                if number >= newest[0]["n"]:
                    return ""  # restored from a backup: the number is not given out yet
                rows = work.rows(
                    b"SELECT coalesce(txid_status(%(n)s::bigint), '') AS status", {"n": number}
                )
            status = str(rows[0]["status"])
            if status != "in progress":
                return status
            if time.monotonic() > until:
                raise RefusedError(
                    f"transaction {number} of an interrupted run is still open on the server",
                    hint="see pg_stat_activity for application_name 'payops apply …'",
                )
            time.sleep(0.1)

    def reconnect(self) -> None:
        """Hang up what is left of the working connection; the next call connects anew."""
        if self._work is not None:
            self._work.close()
        self._work = None
        self._tables.clear()

    def close(self) -> None:
        """Hang up, and free the lock."""
        if self._guard is not None:
            self._guard.free()
        if self._work is not None:
            self._work.close()
        self._work = self._guard = None

    def _connection(self) -> Connection:
        if self._work is None or self._work.lost:
            self._work = Connection(self._settings, self._dsn, self._application)
            self._tables.clear()
        return self._work

    def _table(self, work: Connection, change: Change) -> Table:
        if change.table not in self._tables:
            self._tables[change.table] = read_table(work, change.table)
        table = self._tables[change.table]
        table.named(change.columns)
        return table

    @staticmethod
    def _rows(work: Connection, change: Change, table: Table) -> list[Row]:
        statement = Statement(table)
        look = statement.look(change)
        return work.rows(look, statement.params)

    def _verdict(self, work: Connection, change: Change, table: Table) -> Outcome | None:
        """Why it need not or may not be done; None when the row is as the plan saw it."""
        rows = self._rows(work, change, table)
        if len(rows) > 1:
            return Outcome(Result.REFUSED, "the key finds more than one row")
        row = rows[0] if rows else None
        now = _values(change, row)
        if now is None or row is None:
            return {
                "insert": None,
                "delete": Outcome(Result.ALREADY, "the row is gone"),
                "update": Outcome(Result.REFUSED, "the row that the plan saw is gone"),
            }[change.kind]
        if change.kind == "insert":
            if same(change.after, now):
                return Outcome(Result.ALREADY, "the row is there", now=now, row=_hash(change, row))
            there = difference(change.after, now)
            return Outcome(Result.REFUSED, f"such a row is there already: {there}", now=now)
        if not same(change.before, now):
            if change.after and same(change.after, now):
                return Outcome(Result.ALREADY, "the row has these values", now=now)
            return Outcome(Result.REFUSED, f"changed since: {difference(change.before, now)}", now)
        if change.row and change.row != _hash(change, row):
            why = "changed since, in a column that payops did not set"
            return Outcome(Result.REFUSED, why, now)
        return None


def read_fingerprints(connection: Connection) -> tuple[Row, tuple[str, ...]]:
    """The database's row of facts, and what it answers to, the strongest first; in an open
    transaction."""
    row = connection.rows(query("write_target", {}))[0]
    prints = [f"postgres-oids:{row['oid']}/{row['oids']}"]
    if row["has_identifier"]:
        number = connection.rows(query("write_identifier", {}))[0]["identifier"]
        prints.insert(0, f"postgres:{number}/{row['oid']}")
    return row, tuple(prints)


def _guarded(change: Change, table: Table) -> bool:
    """Whether an index sees to it that the key stands there once."""
    return any(table.columns[name].unique for name in change.key)


def _values(change: Change, row: Row | None) -> dict[str, str | None] | None:
    return None if row is None else {name: row[name] for name in change.columns}


def _hash(change: Change, row: Row | None) -> str:
    return "" if row is None else str(row[Statement.hash_name(change)])


def _failed(error: psycopg.Error, found: SourceError) -> Outcome:
    """What the server said no to; nothing was changed."""
    refused = (error.sqlstate or "").startswith(_AGAINST_RULES)
    said = f"the database refuses it: {found.message}" if refused else str(found)
    detail = harmless(error.diag.message_detail or "")
    why = shortened(f"{said} ({detail})" if detail else said, _LONGEST)
    return Outcome(Result.REFUSED if refused else Result.FAILED, why)


def _unlike(change: Change, now: Values | None) -> str:
    """What a trigger made of it."""
    if now is None or same(change.after, now):
        return ""
    others = [name for name, value in change.after.items() if now[name] != value]
    return "the database made of it: " + ", ".join(f"{n} {shown(now[n])}" for n in others)


def _lost(error: SourceError, committing: bool) -> Outcome:
    if committing:
        return Outcome(Result.UNKNOWN, f"the connection was lost while it was committed: {error}")
    return Outcome(Result.FAILED, f"the connection was lost, nothing was changed: {error}")
