"""The user's database, read only."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg
from psycopg import sql

from payops.sources.bounded import CutOffError
from payops.sources.identifier import identifier
from payops.sources.ledger import LedgerReader
from payops.sources.ledger_table import LedgerTable, table_of
from payops.sources.once import Once
from payops.sources.postgres_errors import Server, nearest, translate, unreachable, with_nearest
from payops.sources.postgres_facts import PostgresFacts
from payops.sources.postgres_pool import Pool
from payops.sources.postgres_session import GRACE_S, Session, Told

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.sources import PostgresSettings
    from payops.domain.deadline import Deadline

T = TypeVar("T")

# One name, taken whole; its parts: ("public", "payments"); or an expression that is composed.
Name: TypeAlias = str | tuple[str, ...] | sql.Composable


@dataclass(frozen=True)
class _ServerRow:
    version: str
    database: str
    in_recovery: bool
    replay_lag_s: float | None
    max_connections: int
    reserved: int
    connections: int
    states: Mapping[str, int]


@dataclass(frozen=True)
class _KnownName:
    shown: str
    name: str
    kind: str


class PostgresSource:
    """Asks the database, each question in a read-only transaction with its own time limits.

    Safe to share between threads: one connection serves them in turn, a second and a third are
    opened only when it stays busy.
    """

    def __init__(self, settings: PostgresSettings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._server = Server.of(settings.dsn.reveal())
        self._pool = Pool(self._connect)
        self._tables: dict[Hashable, LedgerTable] = {}
        self._once = Once()

    def rows(
        self,
        name: str,
        into: type[T],
        /,
        *,
        identifiers: Mapping[str, Name] | None = None,
        **params: Any,
    ) -> list[T]:
        """Rows of `sql/NAME.sql`, each as an `into` (a frozen dataclass with the columns' names).

        `identifiers` fill the `{placeholders}`, quoted by psycopg; `params` the `%(name)s`. Raises
        SourceError.
        """
        return self.told(name, into, identifiers=identifiers, **params).rows

    def told(
        self,
        name: str,
        into: type[T],
        /,
        *,
        identifiers: Mapping[str, Name] | None = None,
        **params: Any,
    ) -> Told[T]:
        """As `rows`, with the server's clock and the time that the query took."""
        return self._ask(query(name, identifiers or {}), params, into, explain=True)

    def once(self, name: str, into: type[T], /, *, names: tuple[str, ...] = ()) -> Told[T]:
        """As `told`, but asked once a run: later callers get the first one's answer, or its error.

        `names` is `%(names)s` of the queries that look at several tables.
        """
        params: dict[str, Any] = {"names": list(names)} if names else {}
        return self._once((name, names), lambda: self.told(name, into, **params))

    def ask(self, text: sql.Composed, into: type[T], /, **params: Any) -> list[T]:
        """Rows of a query that was put together elsewhere in `sources`, as in `rows`."""
        return self._ask(text, params, into, explain=True).rows

    def told_within(
        self, seconds: float, text: sql.Composed, into: type[T], /, **params: Any
    ) -> Told[T]:
        """As `ask`, with the server's clock, and with a statement timeout of its own."""
        return self._ask(text, params, into, explain=True, limit=seconds)

    def server(self) -> PostgresFacts:
        """State of the server: version, role, lag, connections."""
        told = self.told("server", _ServerRow)
        row = told.rows[0]
        return PostgresFacts(
            version=row.version,
            database=row.database,
            in_recovery=row.in_recovery,
            replay_lag_s=row.replay_lag_s,
            max_connections=row.max_connections,
            reserved=row.reserved,
            connections=row.connections,
            states=row.states,
            latency_ms=told.latency_ms,
            now=told.now,
            as_of=told.now,
        )

    def ledger(self, ledger: Ledger) -> LedgerReader:
        """A reader of one mapped table; asks nothing yet."""
        return LedgerReader(self, ledger)

    def table(self, ledger: Ledger) -> LedgerTable:
        """What the catalog says about a mapped table, looked up once.

        Raises SourceError SCHEMA, with the nearest name, when the table or a column is missing or
        has a type that payops cannot read.
        """
        key = (ledger.table, ledger.columns, ledger.amount_unit, ledger.match_case)
        if key not in self._tables:
            self._tables[key] = table_of(self, ledger)
        return self._tables[key]

    def nearest(self, wrong: str, kind: str) -> str:
        """The existing table or column (`kind`) whose name is nearest; empty when none is."""
        known = self._ask(query("names", {}), {}, _KnownName, explain=False).rows
        return nearest(wrong, [(each.name, each.shown) for each in known if each.kind == kind])

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def _connect(self, at_most: float) -> Session:
        try:
            return Session.open(self._settings, at_most)
        except CutOffError as error:
            raise unreachable(self._server, str(error)) from error
        except psycopg.Error as error:
            raise translate(error, self._server) from error

    def _ask(
        self,
        text: sql.Composed,
        params: Mapping[str, Any],
        into: type[T],
        *,
        explain: bool,
        limit: float | None = None,
    ) -> Told[T]:
        patience = self._settings.connect_timeout + self._settings.statement_timeout + GRACE_S
        try:
            session = self._pool.borrow(self._deadline.within(patience))
        except CutOffError as error:
            raise unreachable(self._server, str(error)) from error
        try:
            return session.ask(text, params, into, self._deadline.remaining, limit=limit)
        except CutOffError as error:
            raise unreachable(self._server, str(error)) from error
        except psycopg.Error as error:
            found = translate(error, self._server)
        finally:
            self._pool.give_back(session)
        raise with_nearest(found, self.nearest) if explain else found


@cache
def _text(name: str) -> str:
    """The file without its comments, which may speak of `{placeholders}` too."""
    lines = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def query(name: str, identifiers: Mapping[str, Name]) -> sql.Composed:
    """`sql/NAME.sql` with its `{placeholders}` filled: names quoted, expressions as they are."""
    return sql.SQL(_text(name)).format(  # the text is our own file's
        **{place: _composable(value) for place, value in identifiers.items()}
    )


def _composable(value: Name) -> sql.Composable:
    if isinstance(value, sql.Composable):
        return value
    return identifier(value) if isinstance(value, str) else identifier(*value)
