"""Our own side of the story: rows, refunds, the event log, audits, keys in Redis. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from payops.domain.duration import parse_moment
from payops.domain.evidence import Scalar
from payops.domain.text import shortened
from payops.domain.timeline import Entry, Rank
from payops.trace.story import LedgerRow, Story

_LONGEST = 60
# Shown as one moment where a row was never changed after it was made.
_SAME = timedelta(milliseconds=1)


def from_rows(story: Story) -> Iterator[Entry]:
    """When rows were made, completed, changed."""
    for rows, what in ((story.rows, "row"), (story.refund_rows, "refund row")):
        for one in rows:
            yield from _row(story, one, what)


def _row(story: Story, one: LedgerRow, what: str) -> Iterator[Entry]:
    named = f"{what} {one.key} of {one.name}"
    kind = "row" if what == "row" else "refund_row"
    row = one.row
    detail: dict[str, Scalar] = {
        "ledger": one.name,
        "order": row.order_id,
        "reference": next(iter(one.references), None),
        "idempotency_key": row.idempotency_key,
        "failure": row.failure_code,
    }
    kept = {name: value for name, value in detail.items() if value}
    last = max((m for m in (one.updated, one.completed, one.created) if m), default=None)
    if one.created is not None:
        alone = one.updated is not None and last is not None and last - one.created < _SAME
        yield Entry(
            one.created,
            "postgres",
            f"{kind}.created",
            f"{named} was made" + (f"; it says {row.status}" if alone else ""),
            Rank.ROW,
            id=one.key,
            status=(row.status or "") if alone else "",
            money=one.money,
            detail=kept,
        )
    if one.updated is None:
        yield Entry(
            story.now,
            "postgres",
            f"{kind}.now",
            f"{named} says {row.status} now; no column says since when",
            Rank.NOW,
            id=one.key,
            status=row.status or "",
            detail=kept,
        )
    if one.completed is not None:
        yield Entry(
            one.completed,
            "postgres",
            f"{kind}.completed",
            f"{named} was completed",
            Rank.MOVED,
            id=one.key,
            detail={"ledger": one.name},
        )
    if one.updated is not None and one.created is not None and one.updated - one.created >= _SAME:
        failure = f" ({shortened(row.failure_code, _LONGEST)})" if row.failure_code else ""
        yield Entry(
            one.updated,
            "postgres",
            f"{kind}.changed",
            f"{named} changed last; it says {row.status}{failure}",
            Rank.MOVED,
            id=one.key,
            status=row.status or "",
            detail=kept,
        )


def from_log(story: Story) -> Iterator[Entry]:
    """When events were received and handled."""
    types = {event.id: event.type for event in story.events}
    for event, rows in story.logged.items():
        for row in rows:
            type_ = row.type or types.get(event, "event")
            if row.received_at is not None:
                yield Entry(
                    row.received_at,
                    "postgres",
                    "event.received",
                    f"{type_} was received",
                    Rank.RECEIVED,
                    id=event,
                    status=row.status or "",
                    detail={"attempts": row.attempts} if row.attempts is not None else {},
                )
            if row.processed_at is not None:
                error = f", with {shortened(row.error, _LONGEST)}" if row.error else ""
                yield Entry(
                    row.processed_at,
                    "postgres",
                    "event.handled",
                    f"{type_} was handled{error}",
                    Rank.HANDLED,
                    id=event,
                    status=row.status or "",
                )


def from_audits(story: Story) -> Iterator[Entry]:
    """Each change that an audit table kept, with the values before and after."""
    for name, row in story.audits:
        at = _moment(row.get("at"), story.now)
        if at is None:
            continue
        action = row.get("action") or "change"
        changes = _changes(row, story.shown)
        told = ", ".join(
            f"{column} {old} → {new}" if old is not None else f"{column} {new}"
            for column, old, new in changes
        )
        status = next((str(new) for column, _, new in changes if column == "status"), "")
        yield Entry(
            at,
            "postgres",
            f"audit.{action}",
            f"{name}: {action} of row {row.get('row')}" + (f": {told}" if told else ""),
            Rank.MOVED if action != "create" else Rank.ROW,
            id=row.get("row") or "",
            status=status,
            detail={
                f"{side}.{column}": str(value)
                for column, old, new in changes
                for side, value in (("old", old), ("new", new))
                if value is not None
            },
        )


def _changes(
    row: Mapping[str, str | None], shown: frozenset[str]
) -> list[tuple[str, object, object]]:
    """Columns with their values before and after; of columns that are not to be shown a word."""
    column = row.get("column")
    if column:
        pairs = [(column, row.get("old"), row.get("new"))]
    else:
        pairs = _in_json(row.get("changes") or "")
    return [
        (name, _plain(old), _plain(new))
        if name in shown
        else (name, None, "changed (its value is not shown)")
        for name, old, new in pairs
    ]


def _in_json(text: str) -> list[tuple[str, Any, Any]]:
    try:
        told = json.loads(text)
    except ValueError:
        return []
    if not isinstance(told, dict):
        return []
    if set(told) == {"new"} and isinstance(told["new"], dict):  # a row that was made
        return [(str(name), None, value) for name, value in told["new"].items()]
    found = []
    for name, value in told.items():
        if isinstance(value, dict) and {"old", "new"} & set(value):
            found.append((str(name), value.get("old"), value.get("new")))
        elif isinstance(value, list) and len(value) == 2:
            found.append((str(name), value[0], value[1]))
        else:
            found.append((str(name), None, value))
    return found


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return shortened(value, _LONGEST) if isinstance(value, str) else value
    return shortened(json.dumps(value, sort_keys=True), _LONGEST)


def from_keys(story: Story) -> Iterator[Entry]:
    """Keys in Redis that say when they were set, and the breaker."""
    types = {event.id: event.type for event in story.events}
    for key in story.redis_keys:
        idempotency = key.about == "idempotency"
        # Of an event that the log has, the log tells more, and when exactly.
        if not key.there or key.set_at is None or key.about in story.logged:
            continue
        held = f", holds {shortened(key.value, _LONGEST)}" if key.value else ""
        yield Entry(
            key.set_at,
            "redis",
            "key.idempotency" if idempotency else "key.dedupe",
            f"{key.key} was set (by its TTL){held}"
            if idempotency
            else f"{types.get(key.about, 'event')} was had: {key.key} was set (by its TTL)",
            Rank.KEY if idempotency else Rank.DEDUPE,
            id=key.key,
            detail={"ttl_s": key.ttl_s},
        )
    for breaker in story.breakers:
        if breaker.state == "closed":
            continue
        opened = breaker.opened_at
        yield Entry(
            opened or breaker.as_of,
            "redis",
            f"breaker.{breaker.state}",
            f"the breaker {breaker.name} is {breaker.state}"
            + (" since then" if opened else ", nobody knows since when"),
            Rank.STATE,
            id=breaker.name,
            status=breaker.state,
        )


def _moment(text: str | None, now: datetime) -> datetime | None:
    try:
        return parse_moment(text, now) if text else None
    except ValueError:
        return None
