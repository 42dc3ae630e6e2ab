"""DuckDB as payops uses it: in memory, bounded, quiet, and with no use for the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# More than this goes to temporary files: a laptop in an incident has other things in memory.
MEMORY = "256MB"


def connect(
    spill: Path, *, memory: str = MEMORY, threads: int = 2, **config: str | bool
) -> duckdb.DuckDBPyConnection:
    """An empty database in memory whose temporary files lie in `spill`; times are UTC.

    `config` are further settings of DuckDB's.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            **config,
        }
    )
    return quiet(connection)


def quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The connection, or a cursor, whose settings are its own: silent, and in UTC.

    It would draw the progress of a long query into stdout, which is a report's alone.
    """
    connection.execute("SET enable_progress_bar = false")
    return connection.execute("SET TimeZone = 'UTC'")
