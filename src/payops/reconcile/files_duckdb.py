"""DuckDB for files of any size: in little memory, spilling into the spool, without a network.

Its statements are in `files_sql/*.sql`; what fills their `{places}` is quoted here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL
from payops.reconcile import duck
from payops.reconcile.spool import private

if TYPE_CHECKING:
    import duckdb

_FOLDER = Path(__file__).parent / "files_sql"


@contextlib.contextmanager
def connect(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory whose temporary files go below `folder`."""
    connection = duck.connect(folder / ".duckdb")
    try:
        for name, codes in (("zero_decimal", ZERO_DECIMAL), ("three_decimal", THREE_DECIMAL)):
            connection.execute(f"SET VARIABLE {name} = $codes", {"codes": sorted(codes)})
        connection.execute((_FOLDER / "macros.sql").read_text("utf-8"))
        yield connection
    finally:
        connection.close()


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query, few of them: a connection with a result half read takes no other."""
    return connection.execute(query).fetchall()


def statement(name: str, **places: object) -> str:
    """`files_sql/NAME.sql` without its comments, its places filled."""
    lines = (_FOLDER / f"{name}.sql").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return text.format(**places)


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def text_types(columns: tuple[str, ...] | list[str]) -> str:
    """`read_csv`'s columns, all text."""
    return ", ".join(f"{literal(each)}: 'VARCHAR'" for each in columns)


def given(names: list[str]) -> str:
    """The first of some columns that is not empty; NULL when there is no column."""
    if not names:
        return "NULL::VARCHAR"
    columns = [f"nullif({quoted(each)}, '')" for each in names]
    return f"coalesce({', '.join(columns)})"


def write(connection: duckdb.DuckDBPyConnection, select: str, into: Path) -> int:
    """Rows of a query as CSV that nobody else may read; gives how many."""
    draft = into.with_name(f".{into.name}.part")
    private(draft).close()
    places = f"{literal(str(draft))} (FORMAT csv, HEADER, USE_TMP_FILE false)"
    done = rows(connection, f"COPY ({select}) TO {places}")
    draft.rename(into)
    return int(done[0][0]) if done else 0
