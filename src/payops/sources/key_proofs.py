"""What the user's database holds to try keys on: references of payments, signed events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.webhooks import EventLog
    from payops.sources.postgres import PostgresSource

_REWRITTEN = frozenset({"jsonb", "hstore"})


@dataclass(frozen=True)
class CapturedEvent:
    """An event as it came: the raw body, and its `Stripe-Signature`. A body may hold a customer's
    data, so it goes to no sink."""

    event_id: str
    body: bytes = field(repr=False)
    signature: str = field(repr=False)


@dataclass(frozen=True)
class _Captured:
    event_id: str
    payload: str
    signature: str
    kind: str


@dataclass(frozen=True)
class _Reference:
    reference: str


def newest_references(source: PostgresSource, ledger: Ledger, at_most: int) -> tuple[str, ...]:
    """Stripe's ids (`pi_…`, else `cs_…`, `ch_…`) of the ledger's newest payments that have one,
    the newest first. Raises SourceError."""
    columns = ledger.columns
    if not (columns.processor_ref or columns.session_ref or columns.charge_ref):
        return ()
    table = source.table(ledger)
    rows = source.rows(
        "ledger_newest",
        _Reference,
        identifiers={
            "table": table.name,
            "processor_ref": table.column(columns.processor_ref),
            "session_ref": table.column(columns.session_ref),
            "charge_ref": table.column(columns.charge_ref),
            "created_at": table.column(columns.created_at),
        },
        at_most=at_most,
    )
    return tuple(row.reference for row in rows)


def captured_events(
    source: PostgresSource, log: EventLog, at_most: int
) -> tuple[CapturedEvent, ...]:
    """The newest events that were kept with body and signature, the newest first; none where the
    log does not keep them, or as jsonb, which no longer is what was signed. Raises SourceError."""
    columns = log.columns
    if not (columns.payload and columns.signature):
        return ()
    rows = source.rows(
        "event_log_captured",
        _Captured,
        identifiers={
            "table": tuple(log.table.split(".", 1)),
            "event_id": columns.event_id,
            "payload": columns.payload,
            "signature": columns.signature,
            "received_at": columns.received_at,
        },
        at_most=at_most,
    )
    return tuple(_captured(row) for row in rows if row.kind not in _REWRITTEN)


def _captured(row: _Captured) -> CapturedEvent:
    if row.kind == "bytea":
        body = bytes.fromhex(row.payload.removeprefix("\\x"))
    else:
        body = row.payload.encode()
    return CapturedEvent(row.event_id, body, row.signature)
