"""What a Postgres server says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PostgresFacts:
    """State of the server behind the DSN.

    `version` is `server_version` (`16.4`). `in_recovery`: a replica; then `replay_lag_s` is the
    age of the last replayed transaction, 0 when everything received has been replayed (an idle
    primary is not lag), None when it cannot be told; None on a primary. `connections` counts
    client backends of the whole server, payops' own too; `states` counts them by
    `pg_stat_activity.state` (`hidden` are other roles' without `pg_monitor`). `reserved` slots
    are for superusers and `reserved_connections` (PostgreSQL 16). `latency_ms` is one round trip
    with the query, `now` the server's clock.
    """

    version: str
    database: str
    in_recovery: bool
    replay_lag_s: float | None
    max_connections: int
    reserved: int
    connections: int
    states: Mapping[str, int]
    latency_ms: float
    now: datetime
    as_of: datetime

    @property
    def available(self) -> int:
        """Slots that an ordinary role can have at most."""
        return max(0, self.max_connections - self.reserved)
