"""What scenarios do to a system's ledger and breaker, and how it is undone exactly.

Payments are found by the preset's mapping; the breaker is the `reference` shop's.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import sql

from payops.config.ledger import Ledger
from payops.config.load import settings_from
from payops.config.webhooks import EventLog
from payops.errors import LabError
from payops.lab.scenario import Lab

BREAKER_KEYS = {
    part: f"circuit_breaker:stripe:{part}"
    for part in ("state", "failures", "last_failure", "opened_at")
}


@dataclass(frozen=True)
class Mapped:
    """Where a preset says that payments, refunds and events are."""

    payments: Ledger
    event_log: EventLog | None
    refunds: Ledger | None


def mapping(lab: Lab) -> Mapped:
    """That of the lab's preset."""
    settings = settings_from({"preset": lab.system.preset})
    if settings.payments is None:
        raise LabError(f"the preset {lab.system.preset} maps no payments")
    log = next(iter(settings.event_logs.values()), None)
    refunds = (each for each in settings.ledgers.values() if each.kind == "refunds")
    return Mapped(settings.payments, log, next(refunds, None))


def set_columns(
    lab: Lab, table: str, key: str, keys: Sequence[str], values: Mapping[str, object]
) -> None:
    """Give columns of the rows with these keys new values."""
    statement = sql.SQL("UPDATE {} SET {} WHERE {}::text = ANY({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name))
            for name in values
        ),
        sql.Identifier(key),
        sql.Placeholder("these keys"),
    )
    lab.postgres.execute(statement, {**values, "these keys": list(keys)})
    settle(lab, table)


def settle(lab: Lab, table: str) -> None:
    """Have other tables agree with the payments, where it is these that were changed."""
    if lab.system.settled and table == mapping(lab).payments.table:
        lab.postgres.execute(lab.system.settled.encode())


def rows_of(lab: Lab, table: str, column: str, values: Sequence[object]) -> list[dict[str, Any]]:
    """The rows of `table` whose `column` is one of `values`, as JSON, to be put back later."""
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE {}::text = ANY(%s) ORDER BY id").format(
        sql.Identifier(table), sql.Identifier(column)
    )
    return [row[0] for row in lab.postgres.execute(query, (list(values),)).fetchall()]


def put_back(lab: Lab, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Make these rows what they were, be they changed or deleted since."""
    if not rows:
        return
    names = [sql.Identifier(name) for name in rows[0]]
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, "
        "%s::jsonb) ON CONFLICT (id) DO UPDATE SET ({names}) = ROW ({new})"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(names),
        new=sql.SQL(", ").join(sql.SQL("EXCLUDED.{}").format(name) for name in names),
    )
    lab.postgres.execute(statement, (json.dumps(rows),))
    settle(lab, table)


def add_failures(lab: Lab, *, minutes: float, code: Sequence[str], message: str) -> None:
    """Payments that the shop's customers tried in the last `minutes`, and that failed with us.

    Stripe has never heard of them: `processor_ref` is NULL. `code` are the failure codes, in turn.
    There are half as many as the other payments of the last hour, 8 at least: a success rate
    below 70 % where all else succeeded. Nothing happens where the system leaves no such row.
    """
    if lab.system.failed is None:
        return
    if lab.system.name != "reference":
        _add_copies(lab, minutes=minutes)
        return
    recent = lab.postgres.execute(
        "SELECT count(*) FROM payments WHERE created_at > now() - interval '1 hour'"
    ).fetchone()
    count = max(8, (recent[0] if recent else 0) // 2 + 1)
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    ids = [UUID(int=rng.getrandbits(128), version=4) for _ in range(count)]
    lab.remember(added=[str(one) for one in ids])
    newest = lab.postgres.execute(
        "SELECT customer_id, customer_email, amount, currency FROM payments "
        "ORDER BY created_at DESC LIMIT 50"
    ).fetchall() or [(None, None, 1999, "usd")]
    # One after the other, each another customer: what fails with us fails for many.
    shoppers = list({row[0]: row for row in newest}.values())
    with lab.postgres.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO payments (id, order_id, customer_id, customer_email, amount, currency,
                 status, idempotency_key, failure_code, failure_message, created_at, updated_at)
               VALUES (%s, %s, %s, %s, %s, %s, 'failed', %s, %s, %s, now() - %s, now() - %s)""",
            [
                (
                    one,
                    order := f"order-{lab.scenario}-{number + 1}",
                    *shoppers[number % len(shoppers)],
                    f"pay-{order}",
                    code[number % len(code)],
                    message,
                    before := timedelta(minutes=minutes * (number + rng.random()) / count),
                    before - timedelta(seconds=min(0.8, before.total_seconds() / 2)),
                )
                for number, one in enumerate(ids)
            ],
        )


def _add_copies(lab: Lab, *, minutes: float) -> None:
    """The same in another system: the newest payments again, as ones that failed."""
    ledger, failed = mapping(lab).payments, lab.system.failed or {}
    columns = ledger.columns
    recent = lab.postgres.execute(
        sql.SQL("SELECT to_jsonb(t) FROM {} t ORDER BY {} DESC LIMIT 500").format(
            sql.Identifier(ledger.table), sql.Identifier(columns.created_at)
        )
    ).fetchall()
    if not recent:
        return
    now = datetime.now(UTC)
    hour_ago = (now - timedelta(hours=1)).isoformat()
    count = max(8, sum(row[0][columns.created_at] > hour_ago for row in recent) // 2 + 1)
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    made = []
    for number in range(count):
        id_ = str(UUID(int=rng.getrandbits(128), version=4))
        created = now - timedelta(minutes=minutes * (number + rng.random()) / count)
        row = {
            **recent[number % len(recent)][0],
            columns.id: id_,
            columns.created_at: created.isoformat(),
            **failed,
        }
        for absent in filter(None, (columns.processor_ref, columns.session_ref)):
            row[absent] = None
        if columns.idempotency_key:
            row[columns.idempotency_key] = hashlib.sha256(id_.encode()).hexdigest()
        made.append(row)
    lab.remember(added=[row[columns.id] for row in made])
    put_back(lab, ledger.table, made)


def remove_added(lab: Lab) -> None:
    """Delete the payments that a scenario added."""
    remove_payments(lab, lab.recall().get("added", []))


def remove_payments(lab: Lab, keys: Sequence[str]) -> None:
    """Delete the payments with these keys."""
    ledger = mapping(lab).payments
    lab.postgres.execute(
        sql.SQL("DELETE FROM {} WHERE {}::text = ANY(%s)").format(
            sql.Identifier(ledger.table), sql.Identifier(ledger.columns.id)
        ),
        (list(keys),),
    )
    settle(lab, ledger.table)


def remove_refunds(lab: Lab, stripe_ids: Sequence[str]) -> None:
    """Delete the refunds recorded by these ids of Stripe's, where refunds have a table."""
    ledger = mapping(lab).refunds
    if ledger is None or ledger.columns.processor_ref is None:
        return
    lab.postgres.execute(
        sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(
            sql.Identifier(ledger.table), sql.Identifier(ledger.columns.processor_ref)
        ),
        (list(stripe_ids),),
    )


def open_breaker(lab: Lab, *, seconds_ago: float, failures: int) -> None:
    """The breaker before Stripe is open since then, by the clock of Redis.

    Nothing happens in another system, whose breaker has other keys.
    """
    _set_breaker(lab, "open", seconds_ago, failures)


def half_open_breaker(lab: Lab, *, seconds_ago: float, failures: int) -> None:
    """It was opened then, and its trial is under way; see `open_breaker`."""
    _set_breaker(lab, "half_open", seconds_ago, failures)


def _set_breaker(lab: Lab, state: str, seconds_ago: float, failures: int) -> None:
    if lab.system.name != "reference":
        return
    lab.remember(breaker={key: lab.redis.get(key) for key in BREAKER_KEYS.values()})
    seconds, microseconds = lab.redis.time()
    opened = f"{seconds + microseconds / 1e6 - seconds_ago:.3f}"
    values: dict[str, str | int] = {"state": state, "failures": failures}
    values |= {"last_failure": opened, "opened_at": opened}
    lab.redis.mset({BREAKER_KEYS[part]: value for part, value in values.items()})


def restore_breaker(lab: Lab) -> None:
    """Give the breaker's keys the values they had."""
    for key, value in lab.recall().get("breaker", {}).items():
        if value is None:
            lab.redis.delete(key)
        else:
            lab.redis.set(key, value)


def strings_with_expiry(lab: Lab, keys: Sequence[str]) -> dict[str, list[Any]]:
    """Those of `keys` that exist in Redis: value, and when it expires (epoch ms; None: never).

    A value is any bytes, told as the text of Latin-1 that JSON can hold.
    """
    now_ms = time.time_ns() // 1_000_000
    pipeline = lab.redis_bytes.pipeline(transaction=False)
    for key in keys:
        pipeline.get(key)
        pipeline.pttl(key)
    answers = pipeline.execute()
    return {
        key: [value.decode("latin-1"), now_ms + ttl_ms if ttl_ms >= 0 else None]
        for key, value, ttl_ms in zip(keys, answers[::2], answers[1::2], strict=True)
        if value is not None
    }


def put_back_strings(lab: Lab, strings: Mapping[str, Sequence[Any]]) -> None:
    """Set what `strings_with_expiry` found; what would have expired by now is not there again."""
    if not strings:
        return
    pipeline = lab.redis_bytes.pipeline(transaction=False)
    for key, (value, expires_ms) in strings.items():
        pipeline.set(key, str(value).encode("latin-1"))
        if expires_ms is not None:
            pipeline.pexpireat(key, expires_ms)  # SET ... PXAT is of Redis 6.2
    pipeline.execute()
