"""The tables of `payops connections`, each row with what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from payops.checks.external.webhooks import wrong_with
from payops.domain.duration import human_duration
from payops.domain.money import Money
from payops.domain.secret import excerpt
from payops.domain.table import Cell, Column, Table

if TYPE_CHECKING:
    from payops.checks.outside import Connections
    from payops.config.settings import Settings
    from payops.domain.external import Connection, OwnerPaid
    from payops.engine.connections import Found

Row = tuple[Cell | None, ...]
_PENDING = timedelta(hours=24)
_LONGEST = 160
_SHOWN_OWNERS = 200


def tables(found: Found, settings: Settings) -> tuple[Table, ...]:
    """Of all connections, or of one with its owner."""
    made = [_connections(found, settings)]
    if found.only is not None:
        made.append(_errors(found))
    return (*made, _collections(found), _open(found, settings), _commissions(found), _owners(found))


def _connections(found: Found, settings: Settings) -> Table:
    columns = (
        Column("id", "Id"),
        Column("owner", "Owner"),
        Column("processor", "Processor"),
        Column("status", "Status"),
        Column("last_transaction", "Last"),
        Column("webhook", "Webhook"),
        Column("todo", "What to do", wide=True),
    )
    seen = found.connections
    rows: list[Row] = [
        (
            row.id,
            row.owner,
            row.processor,
            row.status,
            row.last_transaction,
            _webhook(row, seen, settings),
            "; ".join(_todo(row, seen, found, settings)) or "-",
        )
        for row in (seen.rows if seen else ())
    ]
    note = "" if rows else "none"
    if seen and seen.more:
        note = f"the first {len(rows):,}"
    title = "Connections to outside processors"
    return Table("connections", title, columns, tuple(rows), _note(found, "connections", note))


def _errors(found: Found) -> Table:
    columns = (
        Column("created_at", "Made"),
        Column("last_sync", "Synced"),
        Column("expires_at", "Token ends"),
        Column("signed", "Signed"),
        Column("errors", "Errors"),
        Column("last_error", "It said", wide=True),
    )
    rows: list[Row] = [
        (
            row.created_at,
            row.last_sync,
            row.expires_at,
            row.has_secret,
            row.errors,
            _line(row.last_error),
        )
        for row in (found.connections.rows if found.connections else ())
    ]
    return Table("details", "Details", columns, tuple(rows))


def _collections(found: Found) -> Table:
    columns = (
        Column("status", "Status"),
        Column("count", "Collections"),
        Column("money", "Money", money=True, wide=True),
        Column("unreadable", "Unreadable"),
        Column("oldest", "Oldest"),
    )
    rows: list[Row] = [
        (one.status or "no status", one.count, one.money, one.inexact, one.oldest)
        for one in found.owed
    ]
    note = "" if rows else "none"
    title = "What is collected of owners"
    return Table("collections", title, columns, tuple(rows), _note(found, "collections", note))


def _open(found: Found, settings: Settings) -> Table:
    columns = (
        Column("id", "Id"),
        Column("owner", "Owner"),
        Column("connection", "Conn."),
        Column("status", "Status"),
        Column("amount", "Amount", money=True),
        Column("since", "Since"),
        Column("retries", "Tries"),
        Column("reason", "Why, and what to do", wide=True),
    )
    external = settings.external
    words = external.collections.failed if external and external.collections else ()
    failed = {word.lower() for word in words}
    rows: list[Row] = [
        (
            row.id,
            row.owner,
            row.connection,
            row.status,
            None if row.minor is None else Money(row.currency, row.minor),
            row.at,
            row.retries,
            _collection_todo(row.reason, row.status in failed),
        )
        for row in found.open
    ]
    title = "Collections that are processing or failed"
    note = "" if rows else "none"
    return Table(
        "open_collections", title, columns, tuple(rows), _note(found, "open_collections", note)
    )


def _commissions(found: Found) -> Table:
    columns = (
        Column("connection", "Conn."),
        Column("processor", "Processor"),
        Column("paid", "Paid"),
        Column("volume", "Volume", money=True),
        Column("fees", "Fees", money=True),
        Column("commission", "Commission", money=True),
        Column("uncollected", "Not collected", money=True),
        Column("unreadable", "Unreadable"),
    )
    rows: list[Row] = [
        (
            one.connection,
            one.processor,
            one.count,
            Money(one.currency, one.minor),
            Money(one.currency, one.fee),
            Money(one.currency, one.commission),
            Money(one.currency, one.uncollected),
            one.inexact,
        )
        for one in found.sales
    ]
    span = human_duration(found.window.length.total_seconds())
    note = f"transactions of the last {span}; payops reconcile external reckons each anew"
    title = "Transactions and commission"
    return Table("commissions", title, columns, tuple(rows), _note(found, "commissions", note))


def _owners(found: Found) -> Table:
    columns = (
        Column("owner", "Owner"),
        Column("mode", "Mode"),
        Column("config_mode", "Configured"),
        Column("primary", "First"),
        Column("connected", "Connected"),
        Column("todo", "What is odd", wide=True),
    )
    ordered = sorted(found.owners, key=lambda one: not _odd(one))  # stable: by key within each
    rows: list[Row] = [
        (
            one.owner,
            one.mode,
            one.config_mode,
            one.primary,
            one.connected,
            "; ".join(_odd(one)) or "-",
        )
        for one in ordered[:_SHOWN_OWNERS]
    ]
    note = "health's external.configuration judges them" if rows else "none"
    if len(ordered) > _SHOWN_OWNERS:
        note += f"; {len(ordered) - _SHOWN_OWNERS:,} more"
    return Table(
        "owners", "How owners are paid", columns, tuple(rows), _note(found, "owners", note)
    )


def _webhook(row: Connection, seen: Connections | None, settings: Settings) -> str:
    wrong = _wrong(row, seen, settings)
    return ", ".join(_SHORT[kind] for kind, _ in wrong) if wrong else "ok"


_SHORT = {"without_url": "no URL", "unsigned": "no secret", "dead_url": "dead URL"}


def _wrong(row: Connection, seen: Connections | None, settings: Settings) -> list[tuple[str, str]]:
    external = settings.external
    if seen is None or external is None or external.connections is None:
        return []
    columns = external.connections.columns
    return wrong_with(
        row,
        seen.dead_urls,
        urls=bool(columns.webhook_url),
        secrets=bool(columns.webhook_secret),
    )


def _todo(row: Connection, seen: Connections | None, found: Found, settings: Settings) -> list[str]:
    if seen is None or row.status in seen.retired:
        return []
    if row.status in seen.expired or (row.expires_at and row.expires_at <= seen.as_of):
        return ["authorise it again at the processor"]
    if row.status in seen.pending:
        old = row.created_at is None or seen.as_of - row.created_at > _PENDING
        return ["finish its registration" if old else "wait for its registration"]
    if row.status not in seen.connected:
        said = f" ({_line(row.last_error)})" if row.last_error else ""
        return [f"find out what failed{said}, then have it tried again"]
    todo = []
    began = row.last_transaction or row.created_at
    if began and found.silence_s is not None:
        silent = (seen.as_of - began).total_seconds()
        if silent > found.silence_s:
            todo.append(f"silent for {human_duration(silent)}: ask whether there were sales")
    kinds = {kind for kind, _ in _wrong(row, seen, settings)}
    if kinds & {"without_url", "dead_url"}:
        todo.append("set the application's right URL")
    if "unsigned" in kinds:
        todo.append("store its signing secret")
    return todo


def _collection_todo(reason: str | None, failed: bool) -> str:
    if failed:
        return f"{_line(reason) or 'no reason recorded'}: settle it with the owner, then retry"
    return "ask the bank whether the money moved before it is tried again"


def _odd(one: OwnerPaid) -> list[str]:
    found = []
    if not one.has_config and one.mode is not None:
        found.append("no configuration")
    if one.mode and one.config_mode and one.mode != one.config_mode:
        found.append("two modes that differ")
    if one.primary_connected is False and one.config_mode != "centralized":
        found.append(f"{one.primary} is not connected")
    return found


def _line(text: str | None) -> str | None:
    return excerpt(" ".join(text.split()), _LONGEST) if text else None


def _note(found: Found, part: str, note: str) -> str:
    why = found.untold.get(part)
    return f"not known: {why}" if why else note
