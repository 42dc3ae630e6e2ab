"""What the database holds to try keys on, asked of a real one; a key that cannot be sent."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from payops.config.ledger import Ledger
from payops.config.settings import Settings
from payops.config.webhooks import EventLog
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.lab.stripe.config import default_key
from payops.lab.stripe.simulator import Simulator
from payops.sources import Sources
from payops.sources.key_proofs import captured_events, newest_references
from payops.sources.postgres import PostgresSource
from sources.conftest import stripe_of
from tools import LEDGER, settings

Connection = psycopg.Connection[Any]


def ledger(**columns: str) -> Ledger:
    given = {**LEDGER, "columns": {**LEDGER["columns"], **columns}}  # type: ignore[dict-item]
    return settings(ledgers={"payments": given}).ledgers["payments"]


def log(payload: str = "body", signature: str = "signature", table: str = "events") -> EventLog:
    columns = {"event_id": "id", "received_at": "at", "payload": payload, "signature": signature}
    return settings(event_logs={"stripe": {"table": table, "columns": columns}}).event_logs[
        "stripe"
    ]


def test_the_newest_references(sql: Connection, postgres: PostgresSource) -> None:
    sql.execute(
        "CREATE TABLE payments (id int, status text, amount int, created_at timestamptz,"
        " pi text, cs text)"
    )
    sql.execute(
        "INSERT INTO payments VALUES (1, 'x', 1, '2026-01-01', 'pi_1', NULL),"
        " (2, 'x', 1, '2026-01-02', NULL, 'cs_2'), (3, 'x', 1, '2026-01-03', 'local-3', NULL),"
        " (4, 'x', 1, '2026-01-04', NULL, NULL), (5, 'x', 1, '2026-01-05', 'pi_5', 'cs_5')"
    )
    mapped = ledger(processor_ref="pi", session_ref="cs")
    assert newest_references(postgres, mapped, 2) == ("pi_5", "cs_2")
    assert newest_references(postgres, ledger(processor_ref="pi"), 9) == ("pi_5", "pi_1")
    assert newest_references(postgres, ledger(), 9) == ()


@pytest.mark.parametrize("kind", ["text", "json", "bytea", "varchar(200)"])
def test_captured_events(sql: Connection, postgres: PostgresSource, kind: str) -> None:
    body = '{"id": "evt_2",  "amount": 1}'
    sql.execute(f"CREATE TABLE events (id text, at timestamptz, body {kind}, signature text)")
    value = f"convert_to('{body}', 'UTF8')" if kind == "bytea" else f"'{body}'"
    sql.execute(
        f"INSERT INTO events VALUES ('evt_1', '2026-01-01', {value}, 't=1,v1=a'),"
        f" ('evt_2', '2026-01-02', {value}, 't=2,v1=b'), ('evt_3', '2026-01-03', {value}, NULL),"
        " ('evt_4', '2026-01-04', NULL, 'x')"
    )
    found = captured_events(postgres, log(), 5)
    assert [event.event_id for event in found] == ["evt_2", "evt_1"]
    assert found[0].body == body.encode()
    assert "amount" not in repr(found[0])
    assert "v1=b" not in repr(found[0])


def test_a_body_that_was_written_anew_proves_nothing(
    sql: Connection, postgres: PostgresSource
) -> None:
    sql.execute("CREATE TABLE events (id text, at timestamptz, body jsonb, signature text)")
    sql.execute("INSERT INTO events VALUES ('evt_1', now(), '{}', 't=1,v1=a')")
    assert captured_events(postgres, log(), 5) == ()
    assert captured_events(postgres, log(payload=""), 5) == ()


def test_a_table_that_is_not_there_is_told(sql: Connection, postgres: PostgresSource) -> None:
    with pytest.raises(SourceError) as caught:
        captured_events(postgres, log(table="nothing"), 5)
    assert caught.value.kind is Failure.SCHEMA


@pytest.mark.parametrize(
    "key", ["sk_test_a b", "sk_test_a\nX: 1", "sk_test_…", "sk_test_\x7f", " sk"]
)
def test_a_key_that_no_header_can_carry_is_refused_unshown(simulator: Simulator, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        stripe_of(simulator.url, key=key)
    assert caught.value.kind is Failure.AUTHENTICATION
    assert key not in str(caught.value) + caught.value.hint


def test_another_key_asks_the_same_address_and_counts(simulator: Simulator) -> None:
    stripe = {"secret_key": default_key(), "api_base": simulator.url}
    sources = Sources(settings(stripe=stripe), Deadline.after(10))
    other = sources.stripe_with(Secret("sk_test_" + "unknown1" * 3))
    with pytest.raises(SourceError) as caught:
        other.account()
    assert caught.value.kind is Failure.AUTHENTICATION
    assert sources.stripe.account().value.id.startswith("acct_")
    assert sources.stripe_calls() == 2
    sources.close()


def test_another_key_goes_where_it_may() -> None:
    stripe = {"secret_key": "sk_test_x", "api_base": "http://proxy.test"}
    sources = Sources(settings(stripe=stripe), Deadline.after(1))
    with pytest.raises(SourceError, match="https only"):
        sources.stripe_with(Secret("sk_live_x"))
    with pytest.raises(NotConfiguredError):
        Sources(Settings(), Deadline.after(1)).stripe_with(Secret("sk_test_x"))
