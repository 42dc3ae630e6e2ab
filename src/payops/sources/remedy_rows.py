"""What planning reads: rows as text, texts as a column would hold them, and which database it is.

By `postgres.dsn`, in read-only transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from payops.domain.plan import Change, Values
from payops.errors import ConfigError, NotConfiguredError, SourceError
from payops.sources.identifier import identifier
from payops.sources.postgres_errors import translate
from payops.sources.writer import read_fingerprints
from payops.sources.writer_connection import Connection
from payops.sources.writer_statement import Statement, statement_of
from payops.sources.writer_table import Table, read_table

if TYPE_CHECKING:
    from payops.config.settings import Remedy
    from payops.config.sources import PostgresSettings

_BATCH = 1000
_MOST_ROWS = 100_000  # of a remedy's select; a plan of more is no plan that a person reviews
# SQLSTATE classes: operator's intervention and timeouts, locks, resources, conflicts.
_NOT_ITS_FAULT = {"57", "55", "53", "40"}
_TEXTS = {"varchar", "bpchar"}


class RemedyRows:
    """Asks the database that plans are made from. Raises SourceError."""

    def __init__(self, settings: PostgresSettings | None) -> None:
        if settings is None:
            raise NotConfiguredError(
                "postgres is not configured, and a plan is made from what its rows hold now",
                hint="add postgres.dsn to the configuration",
            )
        self._connection = Connection(settings, settings.dsn.reveal(), "payops plan")
        self._tables: dict[str, Table] = {}

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def target(self) -> tuple[str, str]:
        """The database's name and its fingerprint."""
        with self._connection.reading():
            row, prints = read_fingerprints(self._connection)
        return row["database"], prints[0]

    def table(self, name: str) -> Table:
        """A table's columns, from the catalog."""
        if name not in self._tables:
            with self._connection.reading():
                self._tables[name] = read_table(self._connection, name)
        return self._tables[name]

    def row_values(
        self, table_name: str, key: str, keys: Iterable[str], columns: Sequence[str]
    ) -> dict[str, Values]:
        """`{key: {column: text}}` of the rows whose `key` column is one of `keys`, as text.

        A key that finds several rows is left out, like one that finds none.
        """
        table = self.table(table_name)
        table.named([key, *columns])
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Values] = {}
        clashes: set[str] = set()
        name = _free("payops_key", columns)
        select = sql.SQL("SELECT {}::text AS {}, {} FROM {} WHERE ").format(
            identifier(key),
            identifier(name),
            sql.SQL(", ").join(
                sql.SQL("{}::text AS {}").format(identifier(c), identifier(c)) for c in columns
            ),
            identifier(table.schema, table.name),
        )
        by_index = select + sql.SQL("{} = ANY(%(keys)s::{}[])").format(
            identifier(key), identifier(*table.columns[key].type)
        )
        by_text = select + sql.SQL("{}::text = ANY(%(keys)s::text[])").format(identifier(key))
        for start in range(0, len(wanted), _BATCH):
            batch = {"keys": wanted[start : start + _BATCH]}
            try:
                with self._connection.reading():
                    rows = self._connection.rows(by_index, batch)
            except SourceError as error:
                if not error.code.startswith("22"):  # a key that is none of that type
                    raise
                with self._connection.reading():
                    rows = self._connection.rows(by_text, batch)
            for row in rows:
                if row[name] in found:
                    clashes.add(row[name])
                found[row[name]] = {column: row[column] for column in columns}
        return {each: values for each, values in found.items() if each not in clashes}

    def canonical(self, table_name: str, values: Values) -> Values:
        """Texts as their columns would hold them: `10` is `10.00` in a numeric(12,2).

        Raises ValueError when a column cannot hold a text, or not all of it.
        """
        table = self.table(table_name)
        table.named(values)
        given = {name: value for name, value in values.items() if value is not None}
        if not given:
            return dict(values)
        parts, params = [], {}
        for n, (name, value) in enumerate(given.items()):
            column = table.columns[name]
            whole = sql.SQL(column.shown.replace("%", "%%"))  # catalog's
            params[f"p{n}"] = value
            text = sql.SQL("({}::{})").format(sql.Placeholder(f"p{n}"), identifier(*column.type))
            parts.append(
                sql.SQL("{}::text AS {}, {}::{}::text AS {}").format(
                    text, identifier(f"a{n}"), text, whole, identifier(f"b{n}")
                )
            )
        connection = self._connection
        try:
            connection.begin(read_only=True)
            row = connection.rows(sql.SQL("SELECT {}").format(sql.SQL(", ").join(parts)), params)[0]
        except psycopg.Error as error:
            if connection.lost or not (error.sqlstate or "").startswith(("22", "23")):
                raise translate(error, connection.server) from error
            raise ValueError(translate(error, connection.server).message) from error
        finally:
            connection.rollback()
        for n, name in enumerate(given):
            if not _fits(table.columns[name].base, row[f"a{n}"], row[f"b{n}"]):
                raise ValueError(f"{table.columns[name].shown} of {name} does not hold it whole")
        held = {name: row[f"b{n}"] for n, name in enumerate(given)}
        return {name: held.get(name) for name in values}

    def statement(self, change: Change) -> str:
        """The change's SQL as it will run."""
        table = self.table(change.table)
        table.named(change.columns)
        return statement_of(change, table)

    def there(self, change: Change) -> bool:
        """Whether a row with the change's key is there."""
        statement = Statement(self.table(change.table))
        look = statement.look(change)
        with self._connection.reading():
            return bool(self._connection.rows(look, statement.params))

    def selected(self, name: str, remedy: Remedy, params: Mapping[str, str]) -> list[Values]:
        """The rows of a remedy's `select`, every column as text.

        Raises ConfigError when it cannot be run, or gives more rows than anybody can review.
        """
        where = f"remedies.{name}.select"
        text = sql.SQL(remedy.select.strip().rstrip(";"))  # the operator's
        # A parameter is always there: a query with one goes to the server as one statement, and
        # no `); DELETE` can end it.
        given = {**params, "payops_most": _MOST_ROWS + 1}
        inner = sql.SQL("(\n{}\n) AS payops_rows LIMIT %(payops_most)s::bigint").format(text)
        connection = self._connection
        try:
            connection.begin(read_only=True)
            columns = connection.names(
                sql.SQL("SELECT * FROM {}").format(inner), {**given, "payops_most": 0}
            )
            if len(set(columns)) < len(columns):
                raise ConfigError("gives two columns of one name", path=where)
            rows = connection.rows(
                sql.SQL("SELECT {} FROM {}").format(
                    sql.SQL(", ").join(
                        sql.SQL("{}::text AS {}").format(identifier(c), identifier(c))
                        for c in columns
                    ),
                    inner,
                ),
                given,
            )
        except psycopg.Error as error:
            wrong = isinstance(error, psycopg.ProgrammingError) or error.sqlstate
            if connection.lost or not wrong or (error.sqlstate or "")[:2] in _NOT_ITS_FAULT:
                raise translate(error, connection.server) from error
            said = translate(error, connection.server).message
            raise ConfigError(
                said, path=where, hint="it is one SELECT; a literal % is written %%"
            ) from error
        finally:
            connection.rollback()
        if len(rows) > _MOST_ROWS:
            raise ConfigError(f"gives more than {_MOST_ROWS:,} rows", path=where)
        return list(rows)


def _fits(base: str, given: str, held: str) -> bool:
    if base in _TEXTS:
        return given.rstrip(" ") == held.rstrip(" ")
    if base == "numeric":
        try:
            return Decimal(given) == Decimal(held)
        except InvalidOperation:  # NaN, Infinity
            return given == held
    return True


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name
