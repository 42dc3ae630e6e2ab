"""The table of received events, with rows as nobody would write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from payops.config.webhooks import EventLog, EventLogColumns
from payops.sources import Sources
from payops.sources.event_log import EventLogReader
from payops.sources.postgres import PostgresSource
from payops.webhooks.logged import unfinished
from tools import settings

Sql = psycopg.Connection[Any]
NOW = datetime.now(UTC).replace(microsecond=0)
LOG = EventLog(
    table="events",
    columns=EventLogColumns(
        event_id="event_id", received_at="received_at", status="status", error="error"
    ),
)


@pytest.fixture
def events(sql: Sql) -> Sql:
    sql.execute(
        "CREATE TABLE events (event_id text, received_at timestamptz, status text, error text)"
    )
    return sql


def add(sql: Sql, *rows: tuple[object, ...]) -> None:
    for row in rows:
        sql.execute("INSERT INTO events VALUES (%s, %s, %s, %s)", row)


@pytest.mark.parametrize("moment", ["20000-01-01", "0044-03-15 BC", "infinity", "-infinity"])
def test_a_time_that_python_has_no_date_for_hides_no_other(
    events: Sql, postgres: PostgresSource, moment: str
) -> None:
    add(events, ("evt_1", moment, "processed", None), ("evt_2", NOW, "processed", None))
    told = EventLogReader(postgres, LOG).named(["evt_1", "evt_2"])
    assert {row.event_id: row.received_at for row in told.rows} == {"evt_1": None, "evt_2": NOW}


def test_nothing_but_a_time_is_no_event_and_no_status_is_not_handled(
    events: Sql, postgres: PostgresSource
) -> None:
    add(events, (None, NOW, None, None), ("", NOW, "failed", "x"), ("evt_1", NOW, None, None))
    add(events, ("evt_2", NOW, "processed", None))
    given = settings(event_logs={"events": {"table": "events", "columns": _columns()}})
    sources = cast("Sources", SimpleNamespace(postgres=postgres))
    (found,) = unfinished(given, sources, NOW - timedelta(hours=1))
    assert (found.id, found.logged) == ("evt_1", "waiting")


def _columns() -> dict[str, str]:
    return {word: word for word in ("event_id", "received_at", "status", "error")}
