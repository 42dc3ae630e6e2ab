"""A history in a real Postgres, a real Redis and the simulator's file."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import yaml

from payops.errors import LabError
from payops.lab.history import History, HistoryPlan, tell
from payops.lab.history.load import create_schema, write_ledger, write_ndjson, write_redis


@pytest.fixture(scope="module")
def history() -> History:
    return tell(HistoryPlan(payments=200, since=timedelta(days=3), until=datetime.now(UTC), seed=7))


def test_the_ledger_holds_the_history(
    history: History, database: psycopg.Connection[Any], postgres: Any
) -> None:
    write_ledger(history, postgres.dsn)
    counts = database.execute(
        "SELECT (SELECT count(*) FROM payments), (SELECT count(*) FROM refunds),"
        " (SELECT count(*) FROM webhook_events WHERE status = 'processed' AND attempts = 1)"
    ).fetchone()
    assert counts == (200, len(history.refunds), len(history.webhook_events))
    row = database.execute("SELECT * FROM payments WHERE id = %s", (history.payments[0].id,))
    names = [column.name for column in row.description or ()]
    assert dict(zip(names, row.fetchone() or (), strict=True)) == vars(history.payments[0])
    out_of_order = database.execute(
        "SELECT count(*) FROM webhook_events e JOIN webhook_events l ON l.id = e.id + 1"
        " WHERE l.received_at < e.received_at OR e.payload->>'id' <> e.event_id"
    ).fetchone()
    assert out_of_order == (0,)
    with pytest.raises(LabError, match="could not be written"):
        write_ledger(history, postgres.dsn)


def test_redis_holds_the_last_day(history: History, cache: redis.Redis, redis_server: Any) -> None:
    write_redis(history, redis_server.url)
    assert cache.dbsize() == len(history.redis_strings)
    newest = history.payments[-1]
    key = f"idempotency:{newest.idempotency_key}"
    assert cache.get(key) == str(newest.id)
    assert 80_000 < int(cache.ttl(key)) <= 86_400
    assert cache.get("circuit_breaker:stripe:state") == "closed"


def test_ndjson_is_one_object_a_line(history: History, tmp_path: Path) -> None:
    written = write_ndjson(history, tmp_path / "stripe.ndjson")
    lines = (tmp_path / "stripe.ndjson").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(history.stripe_objects())
    assert written == len(lines)


def test_the_schema_is_what_the_preset_maps(
    database: psycopg.Connection[Any], postgres: Any
) -> None:
    preset = yaml.safe_load(
        resources.files("payops.config").joinpath("presets/reference.yaml").read_text()
    )
    for mapped in [*preset["ledgers"].values(), *preset["event_logs"].values()]:
        found = database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            (mapped["table"],),
        ).fetchall()
        assert set(mapped["columns"].values()) <= {name for (name,) in found}
    words = {w for given in preset["ledgers"]["payments"]["statuses"].values() for w in given}
    rule = database.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'payments_status_check'"
    ).fetchone()
    assert rule is not None
    assert set(re.findall(r"'(\w+)'", rule[0])) == words
    create_schema(postgres.dsn)  # a second time changes nothing


def test_every_table_and_column_is_explained(database: psycopg.Connection[Any]) -> None:
    silent = database.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relname IN ('payments', 'refunds', 'webhook_events') AND a.attnum > 0"
        " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"
    ).fetchall()
    assert silent == []


def test_a_database_that_does_not_answer_is_named(history: History) -> None:
    with pytest.raises(LabError, match="Postgres"):
        write_ledger(history, "postgresql://nobody@127.0.0.1:9/shop?connect_timeout=1")
    with pytest.raises(LabError, match="Redis"):
        write_redis(history, "redis://127.0.0.1:9/0")
