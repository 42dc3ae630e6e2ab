"""Who is connected to the server, what each does, and who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class Backend:
    """One server process with a database. Ages in seconds, None where there is none.

    `hidden`: another role's, of which this one may see no more than pid, application, role and
    whether it waits. `state_s` is how long it has been in its `state`. `query` is the running
    statement, or the last one; it is text from outside, with literals in it. `blocked_by` are
    pids; 0 is a prepared transaction. `waiting_what` is the table, or the kind of the lock.
    """

    pid: int
    application: str
    role: str
    database: str
    client: str
    kind: str
    hidden: bool
    state: str
    waits_for: str
    transaction_s: float | None
    query_s: float | None
    state_s: float | None
    query: str
    blocked_by: list[int]
    waiting_s: float | None
    waiting_what: str

    @property
    def is_client(self) -> bool:
        """Whether it takes one of `max_connections` for somebody outside."""
        return self.hidden or self.kind == "client backend"

    @property
    def is_ours(self) -> bool:
        """Whether it is payops' own."""
        return self.application == "payops"


@dataclass(frozen=True)
class Activity:
    """All sessions but the one that asked, at one moment."""

    backends: tuple[Backend, ...]
    as_of: datetime

    @property
    def clients(self) -> tuple[Backend, ...]:
        """Clients but payops."""
        return tuple(one for one in self.backends if one.is_client and not one.is_ours)

    @property
    def hidden(self) -> int:
        """Sessions that this role may not look into."""
        return sum(one.hidden for one in self.backends)

    @cached_property
    def by_pid(self) -> Mapping[int, Backend]:
        """Each by its pid."""
        return {one.pid: one for one in self.backends}


def activity(source: PostgresSource) -> Activity:
    """The sessions, asked once a run. Raises SourceError."""
    told = source.once("pg_activity", Backend)
    return Activity(tuple(told.rows), told.now)
