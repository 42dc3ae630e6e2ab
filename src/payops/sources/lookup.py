"""Single rows of the database by their names: a ledger's, an event log's, and whom to tell.

Unlike a copy of a ledger these know no limits of time: what is asked for is asked by id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from payops.sources.identifier import identifier
from payops.sources.ledger_copy_columns import columns_of

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.webhooks import EventLog
    from payops.sources.postgres import Name, PostgresSource

# Ids in one question: few enough for a statement timeout of 2 s, where the column has an index.
_BATCH = 500
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CASTS = {"uuid": "uuid", "int2": "bigint", "int4": "bigint", "int8": "bigint"}


@dataclass(frozen=True)
class NamedRow:
    """A ledger's row, in the columns and the form of the spool."""

    key: str
    status: str | None
    amount: str | None
    deduction: str | None
    currency: str | None
    created_us: int | None
    updated_us: int | None
    completed_us: int | None
    processor_ref: str | None
    charge_ref: str | None
    session_ref: str | None
    idempotency_key: str | None
    order_id: str | None
    customer_id: str | None
    failure_code: str | None
    payment_key: str | None
    refunded_amount: str | None
    fee: str | None


@dataclass(frozen=True)
class LoggedEvent:
    """One row of an event log, each value as text; None where it is NULL or not mapped."""

    event_id: str
    status: str | None
    processed: str | None
    processed_at: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class _Payer:
    customer: str


@dataclass(frozen=True)
class _Contact:
    key: str
    contact: str | None


def rows_named(
    source: PostgresSource, ledger: Ledger, names: Mapping[str, Sequence[str]]
) -> list[NamedRow]:
    """Rows by the columns of the mapping (`processor_ref`, `id`, …): any of these values in any of
    them. Raises SourceError."""
    columns = columns_of(source, ledger)
    found: dict[str, NamedRow] = {}
    for word, values in names.items():
        column = getattr(ledger.columns, word)
        if not column:
            continue
        kind = columns.types.get(column, "")
        wanted = [value for value in dict.fromkeys(values) if _fits(value, kind)]
        matches = _among(columns.table.column(column), kind)
        for batch in _batches(wanted):
            rows = source.rows(
                "ledger_copy",
                NamedRow,
                identifiers={**columns.expressions(), "matches": matches},
                zone=ledger.timezone,
                currency=ledger.currency.lower(),
                wanted=batch,
            )
            found.update((row.key, row) for row in rows)
    return list(found.values())


def events_named(
    source: PostgresSource, log: EventLog, events: Iterable[str]
) -> dict[str, LoggedEvent]:
    """What the event log knows of these events, by id. Raises SourceError."""
    names = log.columns

    def column(name: str) -> Name:
        return identifier(name) if name else sql.SQL("NULL")

    identifiers: dict[str, Name] = {
        "table": identifier(*log.table.split(".", 1)),
        **{
            place: column(getattr(names, place))
            for place in ("event_id", "status", "processed", "processed_at", "error")
        },
    }
    found: dict[str, LoggedEvent] = {}
    for batch in _batches(list(dict.fromkeys(events))):
        rows = source.rows("event_log_named", LoggedEvent, identifiers=identifiers, events=batch)
        found.update((row.event_id, row) for row in rows)
    return found


def contacts(source: PostgresSource, ledger: Ledger, keys: Sequence[str]) -> dict[str, str]:
    """Whom to tell, by the ledger's key: `contact_query`, else the column of e-mail addresses.

    Empty when neither is mapped. Raises SourceError.
    """
    if ledger.contact_query:
        asked = ledger.contact_query.strip().rstrip(";")
        query = sql.SQL("SELECT k::text AS key, c::text AS contact FROM ({}) AS asked (k, c)")
        text = query.format(sql.SQL(asked))
    elif ledger.columns.customer_email:
        columns = columns_of(source, ledger)
        key, kind = columns.table.column(ledger.columns.id), columns.types[ledger.columns.id]
        keys = [each for each in keys if _fits(each, kind)]
        text = sql.SQL("SELECT {}::text AS key, {}::text AS contact FROM {} WHERE {}").format(
            key,
            columns.table.column(ledger.columns.customer_email),
            columns.table.name,
            _among(key, kind, "keys"),
        )
    else:
        return {}
    found: dict[str, str] = {}
    for batch in _batches(keys):
        for row in source.ask(text, _Contact, keys=batch):
            if row.contact:
                found[row.key] = row.contact
    return found


def customers_of(source: PostgresSource, ledger: Ledger, keys: Sequence[str]) -> list[str]:
    """Who paid these rows, each once. Empty where no column says so. Raises SourceError."""
    if not ledger.columns.customer_id:
        return []
    columns = columns_of(source, ledger)
    key, kind = columns.table.column(ledger.columns.id), columns.types[ledger.columns.id]
    text = sql.SQL("SELECT DISTINCT {0}::text AS customer FROM {1} WHERE {2} AND {0} IS NOT NULL")
    query = text.format(
        columns.table.column(ledger.columns.customer_id),
        columns.table.name,
        _among(key, kind, "keys"),
    )
    found: dict[str, None] = {}
    for batch in _batches([each for each in dict.fromkeys(keys) if _fits(each, kind)]):
        found |= dict.fromkeys(row.customer for row in source.ask(query, _Payer, keys=batch))
    return list(found)


def _among(column: sql.Composable, kind: str, place: str = "wanted") -> sql.Composable:
    """`column` is one of the texts in a parameter, compared in its own type: an index serves it."""
    values = sql.SQL("{}::text[]").format(sql.Placeholder(place))
    if kind in _CASTS:
        return sql.SQL("{} = ANY({}::{}[])").format(column, values, sql.SQL(_CASTS[kind]))
    if kind in {"text", "varchar"}:
        return sql.SQL("{} = ANY({})").format(column, values)
    return sql.SQL("{}::text = ANY({})").format(column, values)


def _fits(value: str, kind: str) -> bool:
    """Whether a text can be a value of the column's type at all."""
    if kind == "uuid":
        return _UUID.fullmatch(value) is not None
    if kind in _CASTS:
        return value.isascii() and value.lstrip("-").isdigit() and len(value) <= 18
    return bool(value) and "\0" not in value


def _batches(values: Sequence[str]) -> Iterable[list[str]]:
    return (list(values[at : at + _BATCH]) for at in range(0, len(values), _BATCH))


@dataclass(frozen=True, slots=True)
class StateRow:
    """A ledger's row by one of its names: `name` is the value that was asked for.

    `completed_us` is microseconds since the epoch, None where it is NULL or not mapped.
    """

    key: str
    status: str | None
    name: str
    completed_us: int | None


def states_named(
    source: PostgresSource, ledger: Ledger, word: str, values: Sequence[str]
) -> list[StateRow]:
    """The state of each row whose column `word` of the mapping (`processor_ref`, `id`, …) is one of
    `values`. Empty where the mapping has no such column. Raises SourceError."""
    column = getattr(ledger.columns, word)
    if not column:
        return []
    columns = columns_of(source, ledger)
    kind = columns.types.get(column, "")
    named = columns.table.column(column)
    wanted = [value for value in dict.fromkeys(values) if _fits(value, kind)]
    identifiers = columns.expressions() | {"name": named, "matches": _among(named, kind)}
    found: list[StateRow] = []
    for batch in _batches(wanted):
        found += source.rows(
            "ledger_states", StateRow, identifiers=identifiers, zone=ledger.timezone, wanted=batch
        )
    return found
