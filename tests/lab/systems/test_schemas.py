"""Each system's tables are those of the system, as its facts were taken down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from payops.lab.history.load import run_schema
from payops.lab.servers.postgres import PostgresServer
from payops.lab.systems import system, system_names

# The facts lie beside the repository where it is made, and nowhere else.
FACTS = Path(__file__).parents[3].parent / "shared" / "systems"
SYSTEMS = [name for name in system_names() if name != "reference"]

COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
      AND a.attnum > 0 AND NOT a.attisdropped"""
LABELS = """
    SELECT t.typname, string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder)
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p','u','f','c')
    """
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    made = PostgresServer(tmp_path_factory.mktemp("schemas-postgres"))
    made.start()
    yield made
    made.stop()
    made.remove()


@pytest.fixture
def database(server: PostgresServer) -> Callable[[str], str]:
    def make(name: str) -> str:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{server.dsn.rpartition('/')[0]}/{name}"

    return make


def shape(dsn: str) -> dict[str, set[Any]]:
    with psycopg.connect(dsn) as connection:
        asked = {
            "columns": COLUMNS,
            "labels": LABELS,
            "constraints": CONSTRAINTS,
            "indexes": INDEXES,
        }
        return {what: set(connection.execute(query).fetchall()) for what, query in asked.items()}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_schema_is_the_system_s(name: str, database: Callable[[str], str]) -> None:
    facts = FACTS / f"{name}.sql"
    if not facts.is_file():
        pytest.skip(f"the facts ({facts.name}) are not beside this repository")
    ours, theirs = database(f"ours-{name}"), database(f"theirs-{name}")
    run_schema(ours, system(name).statements())
    with psycopg.connect(theirs, autocommit=True) as connection:
        connection.execute(facts.read_bytes())
    found, wanted = shape(ours), shape(theirs)
    for what in wanted:
        assert found[what] == wanted[what], what


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_schema_names_its_source(name: str) -> None:
    text = next(iter(system(name).statements()))
    assert "-- Facts: public repository" in text
    assert "/home/" not in text
    assert "shared/" not in text


def test_the_two_shapes_of_bookedbarber_differ_as_they_should(
    database: Callable[[str], str],
) -> None:
    shapes = {}
    for name in ("bookedbarber", "bookedbarber-migrated"):
        dsn = database(f"both-{name}")
        run_schema(dsn, system(name).statements())
        shapes[name] = shape(dsn)
    models, migrated = shapes["bookedbarber"], shapes["bookedbarber-migrated"]
    columns = {(table, column): type_ for table, column, type_, *_ in models["columns"]}
    moved = {(table, column): type_ for table, column, type_, *_ in migrated["columns"]}
    assert columns["payments", "amount"] == "double precision"
    assert moved["payments", "amount"] == "numeric(10,2)"
    assert set(columns) ^ set(moved) == {
        ("idempotency_keys", "operation_metadata"),
        ("idempotency_keys", "metadata"),
    }
    upper = {name: labels for name, labels in models["labels"] if name != "webhookstatus"}
    lower = {name: labels for name, labels in migrated["labels"] if name != "webhookstatus"}
    assert {name: labels.lower() for name, labels in upper.items()} == lower
