"""A long statement that ends when somebody waits for its lock.

Reading takes the weakest lock there is, and a migration (ALTER TABLE) is the only one who waits
for that; but every writer queues behind the migration. So a statement that may take minutes is
looked after: once somebody waits, it is cancelled, and asked again when they had their turn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

# With the second that passes before the first look, well below the statement timeout of 2 s.
LOOK_S = 0.75
_CANCEL_S = 5.0

# Whoever waits for a table that this backend reads. All roles may see pg_locks.
_WAITED_FOR = """
SELECT EXISTS (
  SELECT FROM pg_locks AS ours
  JOIN pg_locks AS theirs USING (locktype, database, relation)
  WHERE ours.pid = %(pid)s AND ours.granted AND locktype = 'relation' AND NOT theirs.granted
)
"""


class GivingWay:
    """Whether a statement was cancelled for somebody's sake."""

    gave_way = False


@contextmanager
def giving_way(
    connection: psycopg.Connection[Any],
    pid: int,
    connect: Callable[[], psycopg.Connection[Any]],
    way: GivingWay,
) -> Iterator[None]:
    """Cancel what runs on `connection` (of the backend `pid`) when somebody waits for its locks,
    and say so in `way`.

    `connect` opens another connection to look by, once it takes long enough to matter. Where none
    is to be had, nobody looks, and the statement goes on.
    """
    ended = threading.Event()

    def look() -> None:
        if ended.wait(LOOK_S):
            return
        with suppress(psycopg.Error), connect() as other:
            while not ended.is_set():
                row = other.execute(_WAITED_FOR, {"pid": pid}).fetchone()
                if row and row[0] and not ended.is_set():
                    way.gave_way = True
                    connection.cancel_safe(timeout=_CANCEL_S)
                    return
                ended.wait(LOOK_S)

    thread = threading.Thread(target=look, name="payops-giving-way", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=_CANCEL_S)
