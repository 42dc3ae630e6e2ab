"""What the checks of outside processors share: whom they ask, and how they say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.contract import Context
from payops.domain.duration import utc_text
from payops.domain.evidence import Evidence
from payops.domain.external import Connection, OwedRow
from payops.domain.money import Money
from payops.domain.secret import excerpt
from payops.domain.text import shortened
from payops.errors import NotConfiguredError

if TYPE_CHECKING:
    from payops.config.external import ExternalConnections
    from payops.sources.external_state import OutsideState

# Far more than a shop has; beyond it the first are judged, and the result says so.
MOST_CONNECTIONS = 5_000
SHOWN = 10
_LONGEST = 160


@dataclass(frozen=True)
class Connections:
    """All connections, by the database's clock; `more` says that there are others."""

    as_of: datetime
    rows: tuple[Connection, ...]
    connected: frozenset[str]
    pending: frozenset[str]
    expired: frozenset[str]
    retired: frozenset[str]
    dead_urls: tuple[str, ...] = ()
    more: bool = False

    @property
    def working(self) -> tuple[Connection, ...]:
        """Those that are connected, by their own status."""
        return tuple(row for row in self.rows if row.status in self.connected)


def outside(ctx: Context) -> OutsideState:
    """Raises NotConfiguredError where no outside processor is mapped."""
    if ctx.settings.external is None:
        raise NotConfiguredError("not used here: no outside processors are mapped (external)")
    from payops.sources.external_state import OutsideState

    return OutsideState(ctx.sources.postgres, ctx.settings)


def all_connections(ctx: Context) -> Connections:
    """Raises NotConfiguredError where none are mapped."""
    mapped = connections_mapped(ctx)
    found = outside(ctx).connections(MOST_CONNECTIONS)
    return connections_of(mapped, found.rows, found.as_of, more=found.more)


def connections_mapped(ctx: Context) -> ExternalConnections:
    """Raises NotConfiguredError where none are."""
    external = ctx.settings.external
    if external is None or external.connections is None:
        raise NotConfiguredError("not used here: no connections to outside processors are mapped")
    return external.connections


def connections_of(
    mapped: ExternalConnections, rows: Iterable[Connection], as_of: datetime, *, more: bool = False
) -> Connections:
    """With the mapping's words for their statuses."""
    return Connections(
        as_of=as_of,
        rows=tuple(rows),
        connected=_words(mapped.connected),
        pending=_words(mapped.pending),
        expired=_words(mapped.expired),
        retired=_words(mapped.retired),
        dead_urls=mapped.dead_urls,
        more=more,
    )


def _words(given: Sequence[str]) -> frozenset[str]:
    return frozenset(word.lower() for word in given)


def by_word(words: Iterable[str | None]) -> str:
    """`3 connected, 1 error`: most frequent first."""
    counts = Counter(shortened(word or "no status", 40) for word in words)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {word}" for word, count in ordered[:8])


def seen(row: Connection, what: str, as_of: datetime) -> Evidence:
    """One connection as evidence."""
    return Evidence(
        f"{row.name}: {what}",
        "postgres",
        as_of,
        {"connection": row.id, "owner": row.owner, "status": row.status},
    )


def seen_owed(row: OwedRow, what: str, as_of: datetime) -> Evidence:
    """One collection as evidence."""
    amount = "an unreadable amount" if row.minor is None else str(Money(row.currency, row.minor))
    detail = {
        "owner": row.owner,
        "connection": row.connection,
        "transaction": row.transaction,
        "since": utc_text(row.at) if row.at else None,
        "retries": row.retries,
    }
    return Evidence(f"collection {row.id} of {amount}: {what}", "postgres", as_of, detail)


def said(text: str | None) -> str:
    """What a processor or the application said, on one line."""
    return excerpt(" ".join((text or "").split()), _LONGEST)


def many(count: int, noun: str) -> str:
    """`1 connection`, `2 connections`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
