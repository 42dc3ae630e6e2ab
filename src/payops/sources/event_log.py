"""A mapped table of received webhook events, read by id or by what is not finished in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import sql

from payops.errors import Failure, SourceError
from payops.sources.identifier import identifier
from payops.sources.postgres_errors import missing, nearest

if TYPE_CHECKING:
    from payops.config.webhooks import EventLog
    from payops.sources.postgres import Name, PostgresSource

# Ids in one question, as in lookup.py: the id of an event has an index wherever it is deduplicated.
_BATCH = 500
_TIMES = frozenset({"timestamptz", "timestamp", "date"})
_OPTIONAL = ("type", "processed", "status", "processed_at", "attempts", "error")


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row. `status` and `processed` are the table's own words as text, times aware UTC; None
    where it is NULL or not mapped; a NULL `event_id` is empty. `error` is shortened to 200
    characters."""

    event_id: str
    type: str | None
    status: str | None
    processed: str | None
    received_at: datetime | None
    processed_at: datetime | None
    attempts: int | None
    error: str | None


@dataclass(frozen=True)
class _Column:
    schema: str
    table: str
    column: str
    type: str
    type_schema: str
    type_name: str
    labels: list[str] | None


@dataclass(frozen=True)
class LogRows:
    """Rows, newest first; `complete` is False when there are more than were asked for. `now` is
    the database's clock, aware UTC."""

    rows: list[LogRow]
    complete: bool
    now: datetime | None


class EventLogReader:
    """Reads one event log. The mapping is held against the catalog when it is made: SourceError."""

    def __init__(self, source: PostgresSource, log: EventLog) -> None:
        self._source = source
        self._log = log
        schema, _, name = log.table.partition(".")
        columns = source.rows("columns", _Column, whole=log.table, schema=schema, name=name)
        if not columns:
            guess = source.nearest(name or log.table, "table")
            raise missing(f'table "{log.table}" does not exist', guess)
        self._types = {each.column: each.type for each in columns}
        self._table = identifier(columns[0].schema, columns[0].table)
        self._check()

    def named(self, events: Iterable[str]) -> LogRows:
        """The rows of these events; of one event there may be several. Raises SourceError."""
        wanted = [each for each in dict.fromkeys(events) if each and "\0" not in each]
        column = self._column("event_id")
        kind = self._types[self._log.columns.event_id]
        asked = column if kind in {"text", "varchar"} else sql.SQL("{}::text").format(column)
        matches = sql.SQL("{} = ANY(%(events)s::text[])").format(asked)
        found: list[LogRow] = []
        now: datetime | None = None
        for at in range(0, len(wanted), _BATCH):
            batch = wanted[at : at + _BATCH]
            # Of an event that is in it twice there are two rows; so many more are a broken log.
            told = self._ask(matches, most=10 * _BATCH, events=batch)
            found += told.rows
            now = told.now
        return LogRows(found, True, now)

    def unfinished(self, since: datetime, most: int) -> LogRows:
        """Rows received since then that have not been handled to the end, newest first, up to
        `most`. Raises SourceError."""
        received = self._moment("received_at")
        matches = sql.SQL("{} >= %(since)s::timestamptz AND {}").format(received, self._open)
        told = self._ask(matches, most=most + 1, since=since)
        return LogRows(told.rows[:most], len(told.rows) <= most, told.now)

    @property
    def _open(self) -> sql.Composable:
        """Not handled yet, by the first column that tells."""
        names = self._log.columns
        if names.processed:
            return sql.SQL("{} IS NOT TRUE").format(
                sql.SQL("{}::boolean").format(self._column("processed"))
            )
        if names.processed_at:
            return sql.SQL("{} IS NULL").format(self._column("processed_at"))
        if names.status:
            return sql.SQL("coalesce(lower({}::text), '') <> ALL(%(handled)s::text[])").format(
                self._column("status")
            )
        return sql.SQL("false")

    def _ask(self, matches: sql.Composable, *, most: int, **params: object) -> LogRows:
        identifiers: dict[str, Name] = {
            "table": self._table,
            "matches": matches,
            "event_id": self._column("event_id"),
            "received_at": self._moment("received_at"),
            "processed_at": self._moment("processed_at"),
            **{
                word: self._column(word)
                for word in ("type", "status", "processed", "attempts", "error")
            },
        }
        told = self._source.told(
            "event_log_rows",
            LogRow,
            identifiers=identifiers,
            zone=self._log.timezone,
            handled=sorted(HANDLED),
            most=most,
            **params,
        )
        return LogRows(told.rows, True, told.now)

    def _column(self, word: str) -> sql.Composable:
        name = getattr(self._log.columns, word)
        return identifier(name) if name else sql.SQL("NULL")

    def _moment(self, word: str) -> sql.Composable:
        """A time with its zone; infinity is none, nor is what Python has no date for."""
        name = getattr(self._log.columns, word)
        if not name:
            return sql.SQL("NULL::timestamptz")
        column = identifier(name)
        kind = self._types[name]
        moment: sql.Composable = column
        if kind != "timestamptz":
            naive = sql.SQL("{}::timestamp").format(column) if kind == "date" else column
            moment = sql.SQL("({} AT TIME ZONE %(zone)s::text)").format(naive)
        within = "(CASE WHEN {0} BETWEEN '0001-01-02Z' AND '9999-12-30Z' THEN {0} END)"
        return sql.SQL(within).format(moment)

    def _check(self) -> None:
        known = [(each, each) for each in self._types]
        for word in ("event_id", "received_at", *_OPTIONAL):
            name = getattr(self._log.columns, word)
            if name and name not in self._types:
                what = f'table "{self._log.table}" has no column "{name}" (columns.{word})'
                or_else = f"; has the table none, write {word}: null" if word in _OPTIONAL else ""
                raise missing(what, nearest(name, known), or_else=or_else)
        for word in ("received_at", "processed_at"):
            name = getattr(self._log.columns, word)
            if name and self._types[name] not in _TIMES:
                raise SourceError(
                    "postgres",
                    Failure.SCHEMA,
                    f'table "{self._log.table}": {word} is mapped to a column of type '
                    f"{self._types[name]}",
                    hint=f"map {word} to a column of one of these: {', '.join(sorted(_TIMES))}",
                )


# States that mean that an event was handled to the end, in lower case: what the tables of four
# real systems and their like call it.
HANDLED = frozenset(
    {
        "processed",
        "handled",
        "completed",
        "complete",
        "success",
        "succeeded",
        "done",
        "ok",
        "duplicate",
    }
)
FAILED = frozenset({"failed", "failure", "error", "errored", "dead", "rejected"})


def word_of(row: LogRow) -> str:
    """What a row says of its event: `handled`, `failed` or `waiting`.

    A status comes first, since it is the most exact; then the boolean, then the time.
    """
    status = (row.status or "").strip().lower()
    if status in HANDLED:
        return "handled"
    if status in FAILED:
        return "failed"
    if not status and row.processed is not None:
        handled = row.processed.lower() in {"true", "t", "1", "yes"}
    else:
        handled = not status and row.processed_at is not None
    if handled:
        return "handled"
    return "failed" if row.error else "waiting"
