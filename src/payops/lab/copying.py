"""A payment made a second time: at Stripe, and in the ledger of any system."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import sql

from payops.lab import adding
from payops.lab.choosing import Row
from payops.lab.losing import dedupe_keys
from payops.lab.running import Lab
from payops.lab.shop import mapping, put_back, put_back_strings, rows_of, strings_with_expiry
from payops.lab.stripe.objects import StripeObject, derived_token

_SOON = timedelta(seconds=2)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@dataclass(frozen=True)
class Copy:
    """The row of the second payment, and what Stripe has of it."""

    row: Row
    objects: tuple[StripeObject, ...]
    renamed: Mapping[str, str]
    later: timedelta


def copy_of(lab: Lab, row: Row, number: int, *, at: datetime, order: str = "") -> Copy:
    """The payment of `row` made again at that time, for another order if one is named; nothing is
    written yet. `number` tells copies made at once apart."""
    columns = mapping(lab).payments.columns
    intent = lab.stripe.get(f"/objects/{row[columns.processor_ref]}")
    told = [intent, *_charge_of(lab, intent)]
    if columns.session_ref and row.get(columns.session_ref):
        told.append(lab.stripe.get(f"/objects/{row[columns.session_ref]}"))
    renamed = {one["id"]: _another(lab, f"{one['id']} {number}") for one in told}
    copy = {**row, columns.id: _key(lab, mapping(lab).payments.table, row[columns.id], str(number))}
    renamed[str(row[columns.id])] = str(copy[columns.id])
    if order and columns.order_id:
        renamed[row[columns.order_id]] = copy[columns.order_id] = order
    for column in filter(None, (columns.processor_ref, columns.session_ref)):
        copy[column] = renamed.get(copy[column], copy[column])
    if columns.idempotency_key and copy[columns.idempotency_key]:
        text = f"{lab.scenario} {copy[columns.id]}"
        copy[columns.idempotency_key] = hashlib.sha256(text.encode()).hexdigest()
    later = at - _moment(row[columns.created_at])
    moved = _moved(copy, later)
    # Whoever pays a second time has the card and the bank's page at hand: it takes a moment.
    for column in filter(None, (columns.updated_at, columns.completed_at)):
        if moved[column]:
            made = datetime.fromisoformat(moved[columns.created_at])
            soon = made + _SOON
            moved[column] = min(datetime.fromisoformat(moved[column]), soon).isoformat()
    objects = tuple(_renamed(one, renamed, later) for one in told)
    return Copy(moved, objects, renamed, later)


def _moment(text: str) -> datetime:
    """A time of a row; one without a zone is UTC."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def add(lab: Lab, copies: Sequence[Copy]) -> None:
    """Write them on both sides, with the events that told of them; `take_away` undoes it."""
    ledger = mapping(lab).payments
    told, rows, strings = _events(lab, copies)
    objects = [*(one for copy in copies for one in copy.objects), *told]
    events = [event["id"] for event in told]
    lab.remember(
        added=[str(copy.row[ledger.columns.id]) for copy in copies],
        objects=[one["id"] for one in objects],
        events=events,
        held=[*events, *(copy.row[ledger.columns.processor_ref] for copy in copies)],
    )
    log = mapping(lab).event_log
    with lab.postgres.transaction():
        put_back(lab, ledger.table, [copy.row for copy in copies])
        if log is not None:
            put_back(lab, log.table, rows)
    put_back_strings(lab, strings)
    lab.stripe.put("/objects", objects)


def take_away(lab: Lab) -> None:
    """Remove what `add` wrote; nothing happens where it never did."""
    events, log = lab.recall().get("events", []), mapping(lab).event_log
    if log is not None:
        lab.postgres.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(
                sql.Identifier(log.table), sql.Identifier(log.columns.event_id)
            ),
            (events,),
        )
    if keys := dedupe_keys(lab, events):
        lab.redis.delete(*keys)
    adding.take_away(lab)


def _events(
    lab: Lab, copies: Sequence[Copy]
) -> tuple[list[StripeObject], list[Row], dict[str, list[Any]]]:
    """The events of the originals told again of each copy: Stripe's, the log's rows, the keys by
    which they are known."""
    every = lab.stripe.get("/objects?type=event&limit=1000000")["objects"]
    told: list[StripeObject] = []
    rows: list[Row] = []
    strings: dict[str, list[Any]] = {}
    for number, copy in enumerate(copies):
        events = [event for event in every if event["data"]["object"]["id"] in copy.renamed]
        ids = {event["id"]: _another(lab, f"{event['id']} {number}") for event in events}
        names = {**copy.renamed, **ids}
        told += [_renamed(event, names, copy.later) for event in events]
        rows += _logged(lab, ids, names, copy.later)
        for old, new in ids.items():
            for at, key in zip(dedupe_keys(lab, [old]), dedupe_keys(lab, [new]), strict=True):
                if found := strings_with_expiry(lab, [at]):
                    strings[key] = found[at]
    return told, rows, strings


def _logged(
    lab: Lab, ids: Mapping[str, str], names: Mapping[str, str], later: timedelta
) -> list[Row]:
    log = mapping(lab).event_log
    if log is None:
        return []
    columns, rows = log.columns, []
    for row in rows_of(lab, log.table, columns.event_id, list(ids)):
        copy = {**row, "id": _key(lab, log.table, row["id"], ids[row[columns.event_id]])}
        copy[columns.event_id] = ids[row[columns.event_id]]
        if lab.system.payload:
            copy[lab.system.payload] = _with(row[lab.system.payload], names)
        rows.append(_moved(copy, later))
    return rows


def _moved(row: Row, later: timedelta) -> Row:
    """The row with all its times so much later."""

    def moved(value: Any) -> Any:
        if not isinstance(value, str) or not _TIME.match(value):
            return value
        return (datetime.fromisoformat(value) + later).isoformat()

    return {name: moved(value) for name, value in row.items()}


def _charge_of(lab: Lab, intent: StripeObject) -> list[StripeObject]:
    charge = lab.stripe.get(f"/objects/{intent['latest_charge']}")
    line = charge["balance_transaction"]
    return [charge, *([lab.stripe.get(f"/objects/{line}")] if line else [])]


def _another(lab: Lab, id_and_number: str) -> str:
    """An id of the same kind and length."""
    prefix, _, token = id_and_number.partition(" ")[0].rpartition("_")
    return f"{prefix}_{derived_token(f'{lab.scenario} {id_and_number}', len(token))}"


def _renamed(told: StripeObject, renamed: Mapping[str, str], later: timedelta) -> StripeObject:
    """The object with other ids wherever they stand, made so much later; it is in no payout."""
    made = {name: _with(value, renamed) for name, value in told.items() if name != "payout"}
    return {**made, "created": int(told["created"] + later.total_seconds())}


def _with(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return renamed.get(value, value)
    if isinstance(value, dict):
        return {name: _with(one, renamed) for name, one in value.items()}
    return value


def _key(lab: Lab, table: str, key: object, name: str) -> object:
    """A key that no row has, of the same type; `name` tells copies apart."""
    if not isinstance(key, int):
        text = hashlib.sha256(f"{lab.scenario} {key} {name}".encode()).hexdigest()[:32]
        return str(UUID(text, version=4))
    query = sql.SQL("SELECT nextval(pg_get_serial_sequence({}, 'id'))").format(sql.Literal(table))
    found = lab.postgres.execute(query).fetchone()
    return found[0] if found else key
