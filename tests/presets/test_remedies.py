"""The remedies of presets: on a healthy system they change nothing; on a broken one, just that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from payops.lab.systems import system_names
from payops.remedies.sql import changes_of
from presets.conftest import Filled

BARBERS = ("bookedbarber", "bookedbarber-migrated")


def planned(filled: Filled, name: str, connection: psycopg.Connection[Any], **given: str) -> Any:
    """The rows that a remedy would change, as mappings of columns."""
    remedy = filled.settings.remedies[name]
    found = connection.execute(remedy.select, {**remedy.params, **given})
    names = [column.name for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (remedy.table,)
    ).fetchall()
    known = {column for (column,) in columns}
    assert set(remedy.key) <= set(names)
    changed = [column.removeprefix("new_") for column in names if column.startswith("new_")]
    assert changed
    assert set(changed) <= known
    inserts = not set(changed) & set(names)  # else each is given as it is now, to compare with
    assert inserts or set(changed) <= set(names)
    as_text = [{c: None if v is None else str(v) for c, v in row.items()} for row in rows]
    changes, refused = changes_of(name, remedy, as_text, known)
    assert (len(changes), refused) == (len(rows), [])
    keys = set(remedy.key) if inserts else set()
    assert all(set(change.after) == set(changed) | keys for change in changes)
    return rows


def apply(filled: Filled, name: str, connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Change what a remedy would, row by row."""
    remedy, rows = filled.settings.remedies[name], planned(filled, name, connection)
    for row in rows:
        for column in row:
            if f"new_{column}" in row:
                connection.execute(
                    f"UPDATE {remedy.table} SET {column} = %s WHERE id = %s",
                    (str(row[f"new_{column}"]), row["id"]),
                )
    return list(rows)


@pytest.fixture
def broken(fill: Callable[[str], Filled]) -> Callable[..., Any]:
    """A connection to a system's database after a statement; everything is rolled back."""

    def open_(name: str, statement: str) -> Any:
        filled = fill(name)
        connection = psycopg.connect(filled.dsn)
        made.append(connection)
        connection.execute(statement)
        return filled, connection

    made: list[psycopg.Connection[Any]] = []
    yield open_
    for connection in made:
        connection.rollback()
        connection.close()


@pytest.mark.parametrize("name", system_names())
def test_there_is_nothing_to_put_right_on_a_healthy_system(
    name: str, fill: Callable[[str], Filled]
) -> None:
    filled = fill(name)
    with filled.connect() as connection:
        for remedy in filled.settings.remedies:
            # Barbers with processors of their own are centralized only while something is wrong.
            if remedy != "payment-mode-centralized":
                assert planned(filled, remedy, connection) == []


@pytest.mark.parametrize("name", BARBERS)
def test_fallback(name: str, broken: Callable[..., Any]) -> None:
    filled, connection = broken(
        name, "UPDATE hybrid_payment_configs SET fallback_to_platform = false WHERE barber_id < 3"
    )
    assert len(planned(filled, "fallback-on", connection, barber="2")) == 1
    assert len(apply(filled, "fallback-on", connection)) == 2
    assert planned(filled, "fallback-on", connection) == []


@pytest.mark.parametrize("name", BARBERS)
def test_centralized_and_back(name: str, broken: Callable[..., Any]) -> None:
    filled, connection = broken(name, "SELECT 1")
    query = "SELECT id, payment_mode FROM users WHERE role = 'barber' ORDER BY id"
    before = connection.execute(query).fetchall()
    assert len(apply(filled, "payment-mode-centralized", connection)) == 3
    assert {mode for _, mode in connection.execute(query).fetchall()} == {"centralized"}
    assert len(apply(filled, "payment-mode-back", connection)) == 3
    assert connection.execute(query).fetchall() == before


@pytest.mark.parametrize("name", BARBERS)
def test_who_has_no_processor_stays_centralized(name: str, broken: Callable[..., Any]) -> None:
    label = "ERROR" if name == "bookedbarber" else "error"
    filled, connection = broken(
        name, f"UPDATE payment_processor_connections SET status = '{label}' WHERE barber_id = 3"
    )
    apply(filled, "payment-mode-centralized", connection)
    back = apply(filled, "payment-mode-back", connection)
    assert [row["id"] for row in back] == [2, 4]


@pytest.mark.parametrize("name", BARBERS)
def test_failed_connections_in_the_database_s_own_case(
    name: str, broken: Callable[..., Any]
) -> None:
    label = "ERROR" if name == "bookedbarber" else "error"
    filled, connection = broken(
        name, f"UPDATE payment_processor_connections SET status = '{label}' WHERE id = 2"
    )
    assert [row["id"] for row in apply(filled, "connections-pending", connection)] == [2]
    query = "SELECT lower(status::text) FROM payment_processor_connections WHERE id = 2"
    assert connection.execute(query).fetchone() == ("pending",)


@pytest.mark.parametrize("name", BARBERS)
def test_a_wrong_commission(name: str, broken: Callable[..., Any]) -> None:
    filled, connection = broken(
        name,
        "UPDATE external_transactions SET amount = 33.37, commission_amount = 5.0055, "
        "commission_collected = false WHERE id = (SELECT max(id) FROM external_transactions)",
    )
    (row,) = planned(filled, "commission", connection)
    assert str(row["new_commission_amount"]) == "5.01"
    apply(filled, "commission", connection)
    assert planned(filled, "commission", connection) == []
    connection.execute("UPDATE external_transactions SET commission_amount = 1")
    connection.execute("UPDATE external_transactions SET commission_collected = true")
    assert planned(filled, "commission", connection) == [], "what was collected is left alone"


@pytest.mark.parametrize("name", BARBERS)
def test_a_wrong_collection(name: str, broken: Callable[..., Any]) -> None:
    upper = name == "bookedbarber"
    filled, connection = broken(
        name,
        "UPDATE platform_collections SET amount = amount + 1, status = "
        f"'{'DUE' if upper else 'due'}' WHERE id = 1",
    )
    connection.execute("UPDATE platform_collections SET amount = 1 WHERE id = 2")  # collected
    assert [row["id"] for row in apply(filled, "collection-amount", connection)] == [1]
    assert planned(filled, "collection-amount", connection) == []


def test_debtflow_s_balance(broken: Callable[..., Any]) -> None:
    filled, connection = broken(
        "debtflow",
        "UPDATE accounts_account SET current_balance = current_balance + 10 WHERE id IN "
        "(SELECT account_id FROM payments_payment WHERE status = 'completed' LIMIT 1)",
    )
    (row,) = planned(filled, "account-balance", connection)
    assert row["new_current_balance"] == row["current_balance"] - 10
    assert planned(filled, "account-balance", connection, account=str(row["id"])) == [row]
    assert planned(filled, "account-balance", connection, account="other") == []


def test_ireti_s_late_event(broken: Callable[..., Any]) -> None:
    filled, connection = broken(
        "ireti-pos",
        "UPDATE payments_paymenttransaction SET status = 'processing' WHERE id = (SELECT id FROM "
        "payments_paymenttransaction WHERE status = 'succeeded' LIMIT 1)",
    )
    assert len(apply(filled, "late-event", connection)) == 1
    assert planned(filled, "late-event", connection) == []


@pytest.mark.parametrize("name", BARBERS)
def test_a_barber_without_a_configuration_gets_the_default(
    name: str, broken: Callable[..., Any]
) -> None:
    filled, connection = broken(
        name,
        "DELETE FROM hybrid_payment_configs WHERE barber_id IN"
        " (SELECT id FROM users WHERE payment_mode <> 'centralized')",
    )
    rows = planned(filled, "default-config", connection)
    barbers = connection.execute(
        "SELECT count(*) FROM users WHERE payment_mode <> 'centralized'"
    ).fetchone()
    assert (len(rows),) == barbers
    assert len(rows) > 0
    for row in rows:
        columns = {key.removeprefix("new_"): str(value) for key, value in row.items()}
        names = ", ".join(columns)
        places = ", ".join(["%s"] * len(columns))
        connection.execute(
            f"INSERT INTO hybrid_payment_configs ({names}) VALUES ({places})", [*columns.values()]
        )
    assert planned(filled, "default-config", connection) == []
