"""What the configuration says of the database: tables with their columns, and queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.config.trace import Routing

_KINDS = {
    **dict.fromkeys(("amount", "deduction", "refunded_amount", "fee", "net", "price"), "number"),
    **dict.fromkeys(("commission_rate", "commission_amount", "attempts", "errors"), "number"),
    **dict.fromkeys(("total_transactions", "total_volume"), "number"),
    **dict.fromkeys(("created_at", "updated_at", "completed_at", "received_at", "at"), "time"),
    **dict.fromkeys(("processed_at", "starts_at", "last_sync", "last_transaction"), "time"),
    **dict.fromkeys(("processor_ref", "charge_ref", "session_ref", "idempotency_key"), "text"),
    **dict.fromkeys(("currency", "failure_code", "event_id"), "text"),
    **dict.fromkeys(("processed", "commission_collected", "fallback"), "flag"),
    **dict.fromkeys(("payments", "refunds"), "flag"),
    "changes": "json",
}


@dataclass(frozen=True)
class Part:
    """A table of the configuration. `columns` are payops' word: column; `section` is the key that
    they stand under. `words` of the status are mapped, `complete` when each value must be. What a
    `tolerant` part lacks is left out when it is read, of an `unread` one nothing is selected.
    """

    path: str
    table: str
    columns: Mapping[str, str]
    section: str = "columns"
    kinds: Mapping[str, str] = field(default_factory=lambda: _KINDS)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: bool = False
    match_case: bool = True
    tolerant: bool = False
    unread: bool = False


@dataclass(frozen=True)
class Query:
    """A SELECT of the configuration, with values for its parameters; `own` is one of `checks:`."""

    path: str
    text: str
    params: Mapping[str, object] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    own: bool = False


def parts_of(settings: Settings) -> Iterator[Part]:
    """Every table that the configuration names."""
    for name, ledger in settings.ledgers.items():
        path = f"ledgers.{name}"
        yield Part(
            path,
            ledger.table,
            _columns(ledger.columns),
            words={str(word): words for word, words in ledger.statuses.items()},
            complete=True,
            match_case=ledger.match_case,
        )
        yield from _fixes(path, ledger, settings)
    yield from _external(settings)
    for name, log in settings.event_logs.items():
        yield Part(f"event_logs.{name}", log.table, _columns(log.columns))
    for name, audit in settings.trace.audits.items():
        yield Part(f"trace.audits.{name}", audit.table, _columns(audit.columns))
    if settings.trace.routing:
        yield from _routing(settings.trace.routing)
    for table, columns in settings.keys.never_read.items():
        yield Part(
            f"keys.never_read.{table}",
            table,
            {column: column for column in columns},
            section="",
            kinds={},
            tolerant=True,
            unread=True,
        )
    for name, remedy in settings.remedies.items():
        keys = {column: column for column in remedy.key}
        yield Part(f"remedies.{name}", remedy.table, keys, section="key", kinds={})


def queries_of(settings: Settings) -> Iterator[Query]:
    """Every SELECT that the configuration brings."""
    for name, ledger in settings.ledgers.items():
        if ledger.contact_query:
            path = f"ledgers.{name}.contact_query"
            yield Query(path, ledger.contact_query, {"keys": []})
    for name, remedy in settings.remedies.items():
        yield Query(f"remedies.{name}.select", remedy.select, remedy.params)
    for name, check in settings.checks.items():
        if check.sql:
            yield Query(f"checks.{name}.sql", check.sql, needs=check.needs, own=True)


def _fixes(path: str, ledger: Ledger, settings: Settings) -> Iterator[Part]:
    """The columns that fixes write: they are never read, but they have to be there."""
    for number, fix in enumerate(ledger.fixes):
        into = settings.ledgers.get(fix.insert_into, ledger) if fix.insert_into else ledger
        columns = {column: column for column in fix.set}
        yield Part(
            f"{path}.fixes[{number}]", into.table, columns, section="set", kinds={}, unread=True
        )


def _external(settings: Settings) -> Iterator[Part]:
    external = settings.external
    if external is None:
        return
    if external.transactions:
        ledger = _external_ledger(settings, external.transactions.ledger)
        if ledger:
            columns = _columns(external.transactions.columns)
            yield Part("external.transactions", ledger.table, columns)
    for name in ("connections", "configs", "owners"):
        part = getattr(external, name)
        if part is not None:
            yield Part(f"external.{name}", part.table, _columns(part.columns))
    if external.collections:
        collections = external.collections
        yield Part(
            "external.collections",
            collections.table,
            _columns(collections.columns),
            words={"collected": collections.collected, "waived": collections.waived},
            match_case=False,
        )


def _external_ledger(settings: Settings, name: str) -> Ledger | None:
    if name:
        return settings.ledgers.get(name)
    return next((one for one in settings.ledgers.values() if one.kind == "external"), None)


def _routing(routing: Routing) -> Iterator[Part]:
    for name in ("sales", "owners", "configs", "connections"):
        part = getattr(routing, name)
        if part is not None:
            columns = _columns(part.columns)
            yield Part(f"trace.routing.{name}", part.table, columns, tolerant=True)


def _columns(columns: Any) -> dict[str, str]:
    """payops' word: the table's column; without what is left out."""
    named = {name: getattr(columns, name) for name in columns.__struct_fields__}
    return {name: column for name, column in named.items() if column}
