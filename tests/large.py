"""A system's lab with a long past, what payops asks of it, and a writer who is never kept waiting.

All that `payops health --deep`, `payops stats`, `payops connections` and the COPY of `payops
reconcile` send is noted, while somebody else writes to the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Identifier

from payops.checks import check_ids
from payops.checks.own import own_ids
from payops.config.load import load, located
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.window import Window
from payops.engine.connections import connections
from payops.engine.health import examine
from payops.engine.stats import stats
from payops.lab import laboratory
from payops.lab.crowd import crowd
from payops.sources import Sources
from payops.sources.ledger_copy import LedgerCopy
from payops.sources.postgres import query
from payops.sources.postgres_session import Session

# The plans are those of a million (`make bench ARGS=million` has them), and it takes 4 s, not 100.
ROWS = 50_000
LARGE = 5_000

# What payops holds beyond the weakest lock; a transaction's own number is nobody's to wait for, and
# a sequence's last value is read under the lock that nextval() itself takes.
_STRONG = """
SELECT DISTINCT mode, coalesce(relname, locktype) AS what
FROM pg_locks
JOIN pg_stat_activity USING (pid)
LEFT JOIN pg_class ON pg_class.oid = relation
WHERE application_name LIKE 'payops%' AND locktype <> 'virtualxid'
  AND mode <> 'AccessShareLock' AND NOT (relkind = 'S' AND mode = 'RowExclusiveLock')
"""
_KEPT_WAITING = """
SELECT waiting.application_name || ' waits for ' || blocker.application_name
FROM pg_stat_activity AS waiting, unnest(pg_blocking_pids(waiting.pid)) AS by
JOIN pg_stat_activity AS blocker ON blocker.pid = by
WHERE blocker.application_name LIKE 'payops%'
"""


@dataclass(frozen=True)
class Asked:
    """A query that Postgres answered, how long that took, and its plan."""

    query: Composed
    params: Mapping[str, Any]
    ms: float

    @property
    def text(self) -> str:
        """In one line, for a message."""
        return " ".join(self.query.as_string(None).split())


@dataclass(frozen=True)
class Large:
    """A lab after all that: `db` is the database's owner, `rows` are the tables' that grew.
    `before` is what its system's own checks said when it had few, which depends on the hour.

    `written` is how often the writer committed, `in_the_way` what it ever met of payops' locks.
    """

    name: str
    config: str
    settings: Settings
    before: Report
    report: Report
    asked: tuple[Asked, ...]
    db: psycopg.Connection[Any]
    rows: Mapping[str, int]
    written: int
    in_the_way: frozenset[str]

    def plan(self, one: Asked) -> Any:
        """The plan that the server has for it now."""
        row = self.db.execute(SQL("EXPLAIN (FORMAT JSON) {}").format(one.query), one.params)
        return (row.fetchone() or ([],))[0][0]["Plan"]

    def read_whole(self, one: Asked) -> list[str]:
        """The large tables that it reads from end to end, as often as it does."""
        return [
            node["Relation Name"]
            for node in nodes(self.plan(one))
            if node["Node Type"] == "Seq Scan" and self.is_large(node["Relation Name"])
        ]

    def is_large(self, table: str) -> bool:
        """Whether it has grown so that reading all of it is felt."""
        return self.rows.get(table, 0) >= LARGE


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all that is below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@contextmanager
def large(directory: Path, name: str) -> Iterator[Large]:
    """A lab of the system `name` with many old rows, after payops looked at all of it."""
    info = laboratory.up(laboratory.LabOptions(dir=directory, preset=name))
    try:
        loaded = load(info.config)
        with located(loaded.path):
            before = _examined(loaded.settings, own_ids(loaded.settings))
        rows = crowd(info, ROWS)
        assert loaded.settings.payments is not None
        with (
            psycopg.connect(info.postgres_dsn, autocommit=True) as db,
            located(loaded.path),
            _writing(info.postgres_dsn, loaded.settings.payments.table) as beside,
        ):
            asked: list[Asked] = []
            with _noting(asked):
                report = _look(loaded.settings)
            asked += _copies(loaded.settings)
            beside.end()
            yield Large(
                name,
                info.config,
                loaded.settings,
                before,
                report,
                tuple(asked),
                db,
                rows,
                beside.written,
                frozenset(beside.in_the_way),
            )
    finally:
        laboratory.down(Path(info.dir))


def _look(settings: Settings) -> Report:
    """Every check there is, then the two other commands that ask the ledger."""
    report = _examined(settings, dict.fromkeys([*check_ids(), *own_ids(settings)]))
    stats(settings, timedelta(hours=24), "hour", Deadline.after(60))
    connections(settings, timedelta(days=30), Deadline.after(60))
    return report


def _examined(settings: Settings, ids: Iterable[str]) -> Report:
    now = datetime.now(UTC)
    window = Window(now - timedelta(hours=1), now)
    return examine(settings, list(ids), window=window, deadline=Deadline.after(60))


def _copies(settings: Settings) -> list[Asked]:
    """What `payops reconcile --since 24h` copies of each ledger, as a query."""
    now, found = datetime.now(UTC), []
    sources = Sources(settings, Deadline.after(30))
    assert settings.postgres is not None
    try:
        for ledger in settings.ledgers.values():
            copy = LedgerCopy.of(sources.postgres, settings.postgres, ledger)
            rows = query("ledger_copy", copy.columns.expressions())
            found.append(Asked(rows, copy.parameters(Window(now - timedelta(days=1), now)), 0))
    finally:
        sources.close()
    return found


@contextmanager
def _noting(asked: list[Asked]) -> Iterator[None]:
    ask = Session.ask

    def noted(
        self: Session, query: Composed, params: Mapping[str, Any], *rest: Any, **more: Any
    ) -> Any:
        told = ask(self, query, params, *rest, **more)
        asked.append(Asked(query, params, told.latency_ms))
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "ask", noted)
        yield


@dataclass
class _Beside:
    """Somebody who writes to the ledger, and somebody who looks at the locks meanwhile."""

    dsn: str
    table: str
    written: int = 0
    in_the_way: set[str] = field(default_factory=set)
    _ended: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def begin(self) -> None:
        self._threads = [Thread(target=work) for work in (self._write, self._watch)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive()

    def _write(self) -> None:
        """Locks, changes and adds rows, as an application does, and leaves all as it was."""
        table, one = Identifier(self.table), SQL("(SELECT id FROM {} ORDER BY id LIMIT 1)")
        first = one.format(table)
        with psycopg.connect(self.dsn, application_name="the shop", autocommit=True) as db:
            while not self._ended.is_set():
                with db.transaction():
                    for text in (
                        "SELECT FROM {} WHERE id = {} FOR UPDATE",
                        "UPDATE {0} SET status = status WHERE id = {1}",
                        "INSERT INTO {0} SELECT * FROM {0} WHERE id = {1} ON CONFLICT DO NOTHING",
                    ):
                        db.execute(SQL(text).format(table, first))
                self.written += 1
                time.sleep(0.005)

    def _watch(self) -> None:
        with psycopg.connect(self.dsn, application_name="watching", autocommit=True) as db:
            while not self._ended.is_set():
                for mode, what in db.execute(_STRONG):
                    self.in_the_way.add(f"{mode} on {what}")
                for (who,) in db.execute(_KEPT_WAITING):
                    self.in_the_way.add(who)
                time.sleep(0.002)


@contextmanager
def _writing(dsn: str, table: str) -> Iterator[_Beside]:
    beside = _Beside(dsn, table)
    beside.begin()
    try:
        yield beside
    finally:
        beside.end()
