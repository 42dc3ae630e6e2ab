"""DuckDB as payops uses it: in memory, bounded, quiet, and with no use for the network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from payops.reconcile.late import TooLateError
from payops.sources.bounded import CutOffError, bounded

if TYPE_CHECKING:
    import duckdb

    from payops.domain.deadline import Deadline

T = TypeVar("T")

# More than this goes to temporary files: a laptop in an incident has other things in memory.
MEMORY = "256MB"
# How long what was interrupted may take to remove what it spilled.
_FAREWELL_S = 1.0
_AGAIN_S = 0.05
# Those in use, to be interrupted from another thread.
_open: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()


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
    _open.add(connection)
    connection.execute("SET enable_progress_bar = false")
    return connection.execute("SET TimeZone = 'UTC'")


def in_time(call: Callable[[], T], deadline: Deadline | None) -> T:
    """The result of `call`, which asks DuckDB; raises TooLateError when it is not there by the
    deadline, and KeyboardInterrupt at ^C.

    It runs on a thread of its own: a query on the main thread hears neither ^C nor the clock. With
    more threads than two DuckDB 2.0 goes on to the query's end, with fewer it raises a
    RuntimeError.
    """
    ended = threading.Event()

    def told() -> T:
        try:
            return call()
        finally:
            ended.set()

    seconds = threading.TIMEOUT_MAX if deadline is None else deadline.remaining
    try:
        return bounded(seconds, told, cut=lambda: _interrupt(ended))
    except CutOffError:
        raise TooLateError from None
    except KeyboardInterrupt:
        _interrupt(ended)
        raise


def _interrupt(ended: threading.Event) -> None:
    """End every query under way, and those that follow, until the call has ended."""
    import duckdb

    for _ in range(round(_FAREWELL_S / _AGAIN_S)):
        for connection in list(_open):
            try:
                connection.interrupt()
            except duckdb.Error:  # it is closed, and has nothing to be interrupted
                _open.discard(connection)
        if ended.wait(_AGAIN_S):
            return
