"""Replication, from both sides: who follows this server, and how far behind it is itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class Standby:
    """A server that replicates from this one; `seconds` None where none was measured."""

    name: str
    client: str
    state: str
    sync_state: str
    hidden: bool
    bytes: int | None
    seconds: float | None


@dataclass(frozen=True)
class Slot:
    """A replication slot. `retained` bytes of WAL are kept for it; `wal_status` is the server's
    word (reserved, extended, unreserved, lost); `inactive_s` None where the server cannot tell."""

    name: str
    kind: str
    active: bool
    wal_status: str
    retained: int | None
    inactive_s: float | None


@dataclass(frozen=True)
class Replica:
    """This server as a replica: without a `receiver` no WAL arrives. `bytes` were received and are
    not replayed yet."""

    receiver: bool
    paused: bool
    bytes: int | None
    seconds: float | None


@dataclass(frozen=True)
class Replication:
    """Both sides; `replica` is None on a primary."""

    replica: Replica | None
    standbys: tuple[Standby, ...]
    slots: tuple[Slot, ...]
    as_of: datetime


def replication(source: PostgresSource) -> Replication:
    """Asked once a run. Raises SourceError."""
    replicas = source.once("pg_replica", Replica)
    standbys = source.once("pg_standbys", Standby)
    slots = source.once("pg_slots", Slot)
    return Replication(
        replica=replicas.rows[0] if replicas.rows else None,
        standbys=tuple(standbys.rows),
        slots=tuple(slots.rows),
        as_of=slots.now,
    )
