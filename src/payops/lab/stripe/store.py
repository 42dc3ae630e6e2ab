"""The simulator's objects in one SQLite file: kept across kills, small in memory.

A list page is the stored JSON of its objects joined as bytes; nothing is decoded to serve it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from payops.lab.stripe import rows
from payops.lab.stripe.listing import INDEXES, ListQuery, statement
from payops.lab.stripe.objects import StripeObject

_INSERT = (
    f"INSERT OR REPLACE INTO objects ({', '.join(rows.COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(rows.COLUMNS))})"
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: the JSON of each object, newest first."""

    bodies: list[bytes]
    has_more: bool


def encode(made: Mapping[str, Any]) -> bytes:
    """An object as the store keeps it."""
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


class Store:
    """The objects of the simulated account, in the file `path` (made when missing).

    `default_livemode` decides for objects that carry no `livemode` of their own (refunds and
    balance transactions).
    """

    def __init__(self, path: Path, *, default_livemode: bool = False) -> None:
        self.path = path
        self.default_livemode = default_livemode
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # WAL: what is committed survives the kill of this process. 16 KiB pages: a page of a
        # list touches few of them. 64 MiB of cache is the store's whole share of memory.
        for pragma in (
            "page_size=16384",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "cache_size=-65536",
            "busy_timeout=5000",
        ):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(resources.files(__package__).joinpath("schema.sql").read_text())
        self.create_indexes()
        self._arrivals = self._last_arrival()

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept, or nothing when an error leaves the block."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # Objects

    def put(
        self, made: StripeObject, *, livemode: bool | None = None, account: str | None = None
    ) -> None:
        """Insert an object, or replace the one of the same id, which keeps its place."""
        self.put_encoded([encode(made)], livemode=livemode, account=account)

    def put_encoded(
        self, bodies: Iterable[bytes], *, livemode: bool | None = None, account: str | None = None
    ) -> int:
        """Insert or replace objects given as JSON; the number of objects.

        Raises msgspec.DecodeError (msgspec.ValidationError) for what is not a Stripe object.
        """
        made: dict[str, tuple[rows.Indexed, str, bytes]] = {}
        for body in bodies:
            indexed = rows.decode_indexed(body)
            mode = indexed.livemode if livemode is None else livemode
            scope = rows.scope(self.default_livemode if mode is None else mode, account)
            made[rows.row_id(indexed, scope)] = (indexed, scope, body)
        known = self._positions(list(made))
        batch = []
        for id_, (indexed, scope, body) in made.items():
            position = known.get(id_)
            created = indexed.created or 0
            if position is None or position // rows.ARRIVALS_PER_SECOND != created:
                self._arrivals += 1
                position = created * rows.ARRIVALS_PER_SECOND + self._arrivals
            batch.append(rows.row(indexed, scope, position, body))
        with self.transaction():
            self.db.executemany(_INSERT, batch)
            self.save_setting("arrivals", self._arrivals)
        return len(batch)

    def delete(self, id_: str) -> bool:
        """Remove an object and its deliveries; whether there was one."""
        with self.transaction():
            self.db.execute("DELETE FROM deliveries WHERE event = ?", (id_,))
            return self.db.execute("DELETE FROM objects WHERE id = ?", (id_,)).rowcount > 0

    def body(self, id_: str, scope: str | None = None, kind: str | None = None) -> bytes | None:
        """The JSON of one object, None when there is none of that id, scope and kind."""
        found = self.db.execute(
            "SELECT body, scope, kind FROM objects WHERE id = ?", (id_,)
        ).fetchone()
        if found is None or scope not in (None, found[1]) or kind not in (None, found[2]):
            return None
        body: bytes = found[0]
        return body

    def get(self, id_: str, scope: str | None = None, kind: str | None = None) -> StripeObject:
        """One object, decoded. Raises KeyError when there is none."""
        body = self.body(id_, scope, kind)
        if body is None:
            raise KeyError(id_)
        found: StripeObject = json.loads(body)
        return found

    def get_many(self, ids: Iterable[str], scope: str) -> dict[str, StripeObject]:
        """Those of `ids` that exist in `scope`, decoded, by id."""
        wanted = sorted(set(ids))
        marks = ", ".join("?" * len(wanted))
        found = self.db.execute(
            f"SELECT id, body FROM objects WHERE id IN ({marks}) AND scope = ?",  # noqa: S608
            (*wanted, scope),
        )
        return {id_: json.loads(body) for id_, body in found}

    def position(self, id_: str, scope: str, kind: str) -> int | None:
        """Where an object stands in its list, for a cursor; None when it is not there."""
        found = self.db.execute(
            "SELECT position FROM objects WHERE id = ? AND scope = ? AND kind = ?",
            (id_, scope, kind),
        ).fetchone()
        return None if found is None else int(found[0])

    def page(self, query: ListQuery) -> Page:
        """One page, newest first whichever way the cursor points."""
        sql, values = statement(query)
        bodies = [body for (body,) in self.db.execute(sql, values)]
        has_more = len(bodies) > query.limit
        del bodies[query.limit :]
        if query.before is not None:
            bodies.reverse()
        return Page(bodies, has_more)

    def types(self, kind: str, scope: str) -> tuple[str, ...]:
        """The distinct types (of events, of balance transactions) there are."""
        # A loose index scan: one seek a type, not one step an object.
        found = self.db.execute(
            """WITH RECURSIVE seen(type) AS (
                 SELECT min(type) FROM objects WHERE kind = :kind AND scope = :scope AND type > ''
                 UNION ALL
                 SELECT (SELECT min(type) FROM objects
                         WHERE kind = :kind AND scope = :scope AND type > seen.type)
                 FROM seen WHERE seen.type IS NOT NULL)
               SELECT type FROM seen WHERE type IS NOT NULL""",
            {"kind": kind, "scope": scope},
        )
        return tuple(type_ for (type_,) in found)

    def counts(self) -> dict[str, int]:
        """How many objects there are of each kind."""
        return dict(self.db.execute("SELECT kind, count(*) FROM objects GROUP BY kind"))

    # Settings and files

    def save_setting(self, name: str, value: Any) -> None:
        """Keep a JSON value under `name` across restarts."""
        self.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def setting(self, name: str, default: Any = None) -> Any:
        """The value kept under `name`, or `default`."""
        found = self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return default if found is None else json.loads(found[0])

    def snapshot(self, path: Path) -> None:
        """Copy the whole store to a file, as it is now."""
        path.parent.mkdir(parents=True, exist_ok=True)
        target = sqlite3.connect(path)
        try:
            self.db.backup(target)
        finally:
            target.close()

    def restore(self, path: Path) -> None:
        """Put back what `snapshot` copied. Raises FileNotFoundError when it is not there."""
        if not path.exists():
            raise FileNotFoundError(path)
        source = sqlite3.connect(path)
        try:
            source.backup(self.db)
        finally:
            source.close()
        self._arrivals = self._last_arrival()

    def create_indexes(self) -> None:
        """Make the secondary indexes that are missing."""
        for name, definition in INDEXES.items():
            table, _, condition = definition.partition(" WHERE ")
            where = f" WHERE {condition}" if condition else ""
            self.db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON objects {table}{where}")

    def drop_indexes(self) -> None:
        """Remove the secondary indexes before a bulk load; `create_indexes` brings them back."""
        for name in INDEXES:
            self.db.execute(f"DROP INDEX IF EXISTS {name}")

    def is_empty(self) -> bool:
        """Whether no object is stored."""
        return self.db.execute("SELECT 1 FROM objects LIMIT 1").fetchone() is None

    def _last_arrival(self) -> int:
        return int(self.setting("arrivals", 0))

    def _positions(self, ids: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ", ".join("?" * len(part))
            found.update(
                self.db.execute(
                    f"SELECT id, position FROM objects WHERE id IN ({marks})",  # noqa: S608
                    part,
                )
            )
        return found
