"""Sampling of text and JSON columns on a real Postgres."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from payops.errors import SourceError
from payops.sources.postgres import PostgresSource
from payops.sources.text_columns import filled, sample, text_table

Sql = psycopg.Connection[Any]


def test_the_catalog_tells_texts_key_and_newest(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute(
        'CREATE TABLE "odd.name" (id uuid, n int, "a%%b" varchar(9), meta jsonb, tags text[],'
        ' at timestamptz, PRIMARY KEY (id, n)); CREATE INDEX ON "odd.name" (at)'
    )
    table = text_table(postgres, "odd.name")
    assert table.texts == ("a%%b", "meta", "tags")
    assert (table.key, table.newest, table.sampled) == (("id", "n"), "at", True)
    assert sample(postgres, table, table.texts, 10).rows == ()


def test_a_small_table_is_read_whole(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute("CREATE TABLE t (id int PRIMARY KEY, a text, b json)")
    sql.execute("INSERT INTO t VALUES (1, 'x', NULL), (2, NULL, '{\"k\": 1}')")
    found = sample(postgres, text_table(postgres, "t"), ("a", "b"), 10)
    assert [(row.key, row.values) for row in found.rows] == [
        ("id=1", ("x", None)),
        ("id=2", (None, '{"k": 1}')),
    ]
    assert found.whole


def test_a_large_table_gives_its_newest_rows_and_others(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute("CREATE TABLE t (id bigint PRIMARY KEY, a text)")
    sql.execute("INSERT INTO t SELECT n, 'x' || n FROM generate_series(1, 50000) AS s (n)")
    sql.execute("ANALYZE t")
    found = sample(postgres, text_table(postgres, "t"), ("a",), 200)
    keys = [int(row.key[3:]) for row in found.rows]
    assert set(range(49_901, 50_001)) <= set(keys)
    assert 100 < len(keys) <= 200
    assert min(keys) < 49_901
    assert not found.whole


def test_a_view_and_a_table_without_a_key_can_be_read(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute("CREATE TABLE t (a text); INSERT INTO t VALUES ('x'); CREATE VIEW v AS TABLE t")
    assert sample(postgres, text_table(postgres, "t"), ("a",), 5).rows[0].key == "ctid=(0,1)"
    assert sample(postgres, text_table(postgres, "v"), ("a",), 5).rows[0].values == ("x",)


def test_long_values_are_cut_and_told(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute("CREATE TABLE t (id int, a text); INSERT INTO t VALUES (1, repeat('x', 90000))")
    found = sample(postgres, text_table(postgres, "t"), ("a",), 5)
    assert (found.cut, found.whole, len(found.rows[0].values[0] or "")) == (1, False, 32_769)


def test_a_secret_column_is_counted(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute("CREATE TABLE t (id int, s text); INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    found = filled(postgres, text_table(postgres, "t"), "s")
    assert (found.looked, found.filled) == (2, 1)


def test_a_missing_table_names_the_nearest(sql: Sql, postgres: PostgresSource) -> None:
    sql.execute("CREATE TABLE payments (id int)")
    with pytest.raises(SourceError) as caught:
        text_table(postgres, "payment")
    assert "payments" in caught.value.hint
