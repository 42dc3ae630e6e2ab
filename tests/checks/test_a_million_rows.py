"""Every question of `payops health` on a ledger of a million rows, and what it does to writers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Composed

from payops.checks import check_ids
from payops.config.load import load, located
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.health import examine
from payops.lab import laboratory
from payops.lab.crowd import crowd
from payops.sources.postgres_session import Session

pytestmark = pytest.mark.slow

ROWS = 1_000_000
LARGE = "payments"
TIMEOUT_MS = 2_000  # postgres.statement_timeout, by default


@dataclass(frozen=True)
class Asked:
    """A query that Postgres answered, and how long that took."""

    query: Composed
    params: Mapping[str, Any]
    ms: float


@dataclass(frozen=True)
class Examined:
    """A run of all checks, the slow ones too, on a large ledger; `db` is the database's owner."""

    report: Report
    asked: tuple[Asked, ...]
    db: psycopg.Connection[Any]


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    directory = tmp_path_factory.mktemp("large") / "lab"
    info = laboratory.up(laboratory.LabOptions(dir=directory))
    asked: list[Asked] = []
    ask = Session.ask

    def noted(
        self: Session, query: Composed, params: Mapping[str, Any], *rest: Any, **more: Any
    ) -> Any:
        told = ask(self, query, params, *rest, **more)
        asked.append(Asked(query, params, told.latency_ms))
        return told

    try:
        with psycopg.connect(info.postgres_dsn, autocommit=True) as db:
            crowd(db, ROWS)
            loaded = load(info.config)
            now = datetime.now(UTC)
            with located(loaded.path), pytest.MonkeyPatch.context() as patch:
                patch.setattr(Session, "ask", noted)
                report = examine(
                    loaded.settings,
                    check_ids(),
                    window=Window(now - timedelta(hours=1), now),
                    deadline=Deadline.after(30),
                )
            yield Examined(report, tuple(asked), db)
    finally:
        laboratory.down(Path(info.dir))


def test_it_is_as_well_as_with_few(examined: Examined) -> None:
    wrong = {c.id: c.summary for c in examined.report.checks if c.status is not Status.OK}
    skipped = {c.id for c in examined.report.checks if c.status is Status.SKIP}
    assert wrong.keys() - skipped == set()
    assert len(examined.asked) >= 20


def test_each_query_ends_within_its_statement_timeout(examined: Examined) -> None:
    slow = {one.query.as_string(None): one.ms for one in examined.asked if one.ms >= TIMEOUT_MS}
    assert slow == {}


def test_no_large_table_is_read_from_end_to_end(examined: Examined) -> None:
    touched = 0
    for one in examined.asked:
        row = examined.db.execute(SQL("EXPLAIN (FORMAT JSON) {}").format(one.query), one.params)
        (plan,) = row.fetchone() or ([],)
        for node in _nodes(plan[0]["Plan"]):
            if node.get("Relation Name") == LARGE:
                touched += 1
                whole = node["Node Type"] == "Seq Scan"
                assert not whole, f"{one.query.as_string(None)}\n{json.dumps(plan, indent=1)}"
    assert touched >= 10


def test_no_query_takes_a_lock_that_a_writer_waits_for(examined: Examined) -> None:
    with examined.db.transaction():
        for one in examined.asked:
            examined.db.execute(one.query, one.params)
            held = examined.db.execute(
                "SELECT DISTINCT relation::regclass::text, locktype, mode FROM pg_locks "
                "LEFT JOIN pg_class ON pg_class.oid = relation "
                "WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid' "
                "AND mode <> 'AccessShareLock' "
                "AND NOT (relkind = 'S' AND mode = 'RowExclusiveLock')"
            ).fetchall()
            # The weakest lock conflicts with ACCESS EXCLUSIVE alone, which no writer takes; a
            # sequence's last value is read under the one that nextval() itself takes.
            assert held == [], one.query.as_string(None)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
