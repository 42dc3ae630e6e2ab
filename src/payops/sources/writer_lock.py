"""One payops that changes anything, a database: an advisory lock on a connection of its own."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime
from typing import TYPE_CHECKING

from payops.errors import RefusedError
from payops.sources.postgres import query
from payops.sources.writer_connection import Connection, Row

if TYPE_CHECKING:
    from payops.config.sources import PostgresSettings

# A positive bigint of our own.
_LOCK = int.from_bytes(hashlib.sha256(b"payops apply").digest()[:8], "big") >> 1
_PATIENCE_S = 1.0  # the server needs a moment to see that a killed payops is gone


class Lock:
    """Taken once; it ends with its connection. `application` is the name that others are told."""

    def __init__(self, settings: PostgresSettings, dsn: str, application: str) -> None:
        self._connection = Connection(settings, dsn, application)

    def take(self) -> None:
        """Be the only one. Raises RefusedError naming who is at work, and since when."""
        guard = self._connection
        with guard.told():
            guard.begin(read_only=True, idle_s=0)
            guard.rows(
                b"SELECT set_config('transaction_timeout', '0', true) FROM pg_settings"
                b" WHERE name = 'transaction_timeout'"
            )
            until = time.monotonic() + _PATIENCE_S
            while not guard.rows(query("write_lock", {}), {"key": _LOCK})[0]["taken"]:
                if time.monotonic() > until:
                    holders = guard.rows(query("write_lock_holder", {}), {"key": _LOCK})
                    break
                time.sleep(0.05)
            else:
                return
        raise RefusedError(
            f"another payops apply is at work on this database: {_holder(holders)}",
            hint="wait for it to end, then look at `payops journal` and run this again",
        )

    def still_held(self) -> None:
        """Raises SourceError when the connection is gone, and with it the lock."""
        with self._connection.told():
            self._connection.rows(b"SELECT 1 AS one")

    def free(self) -> None:
        """Let others go on."""
        self._connection.rollback()
        self._connection.close()


def _holder(rows: list[Row]) -> str:
    if not rows:
        return "it ended just now"
    row = rows[0]
    since = row["since"]
    when = since.strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(since, datetime) else "unknown"
    where = f" from {row['address']}" if row["address"] else ""
    return f"{row['application']} (role {row['role']}{where}, pid {row['pid']}), since {when}"
