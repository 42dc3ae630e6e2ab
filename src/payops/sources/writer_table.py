"""A table as the catalog knows it, for those who change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from payops.errors import Failure, SourceError
from payops.sources.postgres import query
from payops.sources.postgres_errors import missing, nearest
from payops.sources.writer_connection import Connection

_TABLES = {"r", "p"}  # plain and partitioned: a view's rows are another table's
_SECRET_WORDS = ("secret", "password", "credential", "connection_data", "_token", "api_key")


@dataclass(frozen=True)
class Column:
    """`type` is schema and name as the catalog has them, `base` the name below a domain, `shown`
    as people write it (`numeric(12,2)`). `unique`: an index lets no value stand there twice."""

    name: str
    type: tuple[str, str]
    base: str
    shown: str
    unique: bool


@dataclass(frozen=True)
class Table:
    """A plain or partitioned table."""

    schema: str
    name: str
    columns: Mapping[str, Column]

    def named(self, wanted: Iterable[str]) -> None:
        """Every one of `wanted` is a column, and none holds secrets. Raises SourceError SCHEMA."""
        for name in wanted:
            if name not in self.columns:
                known = [(column, column) for column in self.columns]
                raise missing(f'table "{self.name}" has no column "{name}"', nearest(name, known))
            if holds_secrets(name):
                raise SourceError(
                    "postgres",
                    Failure.SCHEMA,
                    f'column "{name}" of "{self.name}" holds secrets: payops never reads it',
                    hint="leave it out of the fix or the remedy",
                )


def holds_secrets(column: str) -> bool:
    """Whether a column is one of those that are never selected.

    >>> holds_secrets("stripe_client_secret"), holds_secrets("status")
    (True, False)
    """
    return any(word in column.lower() for word in _SECRET_WORDS)


def read_table(connection: Connection, table: str) -> Table:
    """Look a table up, in the transaction that is open. A name is taken whole first (`odd.name`),
    then as `schema.table`. Raises SourceError SCHEMA."""
    schema, _, name = table.partition(".")
    with connection.told():
        rows = connection.rows(
            query("write_columns", {}), {"whole": table, "schema": schema, "name": name}
        )
        if not rows:
            known = connection.rows(query("names", {}))
            names = [(each["name"], each["shown"]) for each in known if each["kind"] == "table"]
            raise missing(f'table "{table}" does not exist', nearest(name or table, names))
    if rows[0]["kind"] not in _TABLES:
        raise SourceError(
            "postgres",
            Failure.SCHEMA,
            f'"{table}" is no table (a view?)',
            hint="name the table behind it: only rows of a table are changed",
        )
    return Table(
        rows[0]["schema"],
        rows[0]["table"],
        {
            row["column"]: Column(
                row["column"],
                (row["type_schema"], row["type_name"]),
                row["base_name"],
                row["shown"],
                row["is_unique"],
            )
            for row in rows
        },
    )
