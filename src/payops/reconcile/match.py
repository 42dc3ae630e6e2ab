"""Runs match.sql over a spool on DuckDB, out of core, and hands out what it found.

Nothing but this module knows DuckDB, and it is imported when a match is made. Memory is bounded
(`duck.MEMORY`), what does not fit is spilled into a folder of the spool that goes with the match.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from payops.domain.discrepancy import MatchClass
from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL
from payops.errors import PayopsError
from payops.reconcile import duck
from payops.reconcile.classify import verdicts
from payops.reconcile.match_queries import FINDINGS, LIVE
from payops.reconcile.spool_schema import DISPUTES, INTENTS, KEYS, LEDGER, REFUNDS, SESSIONS
from payops.reconcile.totals import Row, Sums, Totals, class_totals

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payops.config.ledger import Ledger
    from payops.domain.window import Window

# Rows that the other side was asked for by id lie here, in the spool's own form.
CONFIRMED = ".confirmed"
_SPILL = ".match"
_WHOLE = frozenset(
    {
        "created_us",
        "updated_us",
        "completed_us",
        "charge_created_us",
        "amount_received",
        "amount_captured",
        "amount_refunded",
        "amount_total",
    }
)
_MACROS = """
CREATE MACRO fingerprint(t) AS hash(t);
CREATE MACRO whole(v) AS CASE WHEN abs(v - round(v)) < 0.000001 THEN CAST(round(v) AS BIGINT) END;
CREATE MACRO whole_minor(t, major, factor) AS CASE
    WHEN NOT major AND length(t) < 18 AND NOT contains(t, '.') AND NOT contains(lower(t), 'e')
        THEN TRY_CAST(t AS BIGINT)
    WHEN length(t) < 11 AND length(t) - instr(t, '.') < 5 AND NOT contains(lower(t), 'e')
        THEN whole(TRY_CAST(t AS DECIMAL(14, 4))
            * CAST(CASE WHEN major THEN coalesce(factor, 100) ELSE 1 END AS DECIMAL(4, 0)))
    ELSE whole(TRY_CAST(t AS DECIMAL(27, 12))
        * CASE WHEN major THEN coalesce(factor, 100) ELSE 1 END)
    END;
CREATE TABLE run (
    since_us BIGINT, until_us BIGINT, now_us BIGINT, grace_us BIGINT, livemode VARCHAR,
    knows_refunds BOOLEAN);
CREATE TABLE ledgers (
    name VARCHAR, kind VARCHAR, major BOOLEAN, fold BOOLEAN, truncated BOOLEAN,
    refund_words BOOLEAN, partial_words BOOLEAN, action_words BOOLEAN,
    refunds_ledger BOOLEAN, fee BOOLEAN);
CREATE TABLE words (ledger VARCHAR, value VARCHAR, word VARCHAR);
CREATE TABLE exponents (currency VARCHAR, factor SMALLINT);
CREATE TABLE verdicts (
    local_word VARCHAR, stripe_state VARCHAR, class VARCHAR, severity VARCHAR, risk VARCHAR);
CREATE TABLE absent (side VARCHAR, id VARCHAR, other_mode BOOLEAN);
"""


@dataclass(frozen=True)
class MatchOptions:
    """What is matched, and how.

    `window` is what is judged: each row by its own side's creation. `now` (aware UTC) is when the
    older side was read: ages and `grace` count from it. `livemode` is that of the key, None when
    nobody knows it. `knows_refunds` is False for a file without Stripe's refunds: then only
    what was refunded of each payment can be compared. `ledgers` are the mapped ones whose rows are
    in the spool, by name.
    """

    window: Window
    now: datetime
    ledgers: Mapping[str, Ledger]
    grace: timedelta = timedelta(minutes=10)
    livemode: bool | None = None
    knows_refunds: bool = True
    memory: str = duck.MEMORY


class Absent(NamedTuple):
    """`side` (`stripe`, `ledger`) was asked for `id` and has no such thing.

    `other_mode`: Stripe has one in test mode, and the key is live, or the other way round.
    """

    side: str
    id: str
    other_mode: bool = False


class Match:
    """One match of one spool. A context manager: what it spilled goes with it."""

    def __init__(self, spool: Path, options: MatchOptions) -> None:
        self._spool = spool
        self._options = options
        self._spill = spool / _SPILL
        self._connection: DuckDBPyConnection | None = None
        self._absent: list[Absent] = []

    def __enter__(self) -> Match:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free memory and disk."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        shutil.rmtree(self._spill, ignore_errors=True)

    def run(self, absent: Iterable[Absent] = ()) -> None:
        """Match everything. `absent` is what a side was asked for and has not.

        Raises PayopsError when the disk is full or a file of the spool cannot be read.
        """
        import duckdb

        self.close()
        self._spill.mkdir(mode=0o700, exist_ok=True)
        self._connection = duck.connect(
            self._spill,
            memory=self._options.memory,
            threads=min(os.cpu_count() or 1, 4),
            preserve_insertion_order=False,
        )
        self._absent = list(absent)
        try:
            # Joins are written with the side to be held in memory last: DuckDB cannot know how
            # long a CSV file is, and turns them round.
            self._connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
            self._prepare(self._connection)
            for statement in statements():
                self._connection.execute(statement)
        except (duckdb.OperationalError, duckdb.DataError, duckdb.IOException) as error:
            raise PayopsError(
                f"matching {self._spool}: {str(error).splitlines()[0]}",
                hint="make room on the disk, or run it again with --fresh",
            ) from error

    def totals(self) -> Totals:
        """Counts and sums of every class."""
        payments: dict[str, Sums] = {}
        matched = payments.setdefault(MatchClass.MATCHED.value, Sums())
        for row in self._rows("SELECT * FROM plain_totals"):
            matched.add(row)
        for row in self._rows("SELECT * FROM case_totals"):
            payments.setdefault(row["class"], Sums()).add(row)
        refunds: dict[str, Sums] = {}
        for row in self._rows("SELECT * FROM refund_totals"):
            refunds.setdefault(row["class"], Sums()).add(row)
        cut = self._rows("SELECT count(*) AS n FROM cases WHERE class = 'matched' AND cut_cents")
        return Totals(class_totals(payments), class_totals(refunds), int(cut[0]["n"]))

    def findings(self, classes: Sequence[MatchClass], limit: int | None = None) -> Iterator[Row]:
        """Cases of these classes, the most money of its currency first, then the most severe."""
        names = ", ".join(f"'{each.value}'" for each in classes) or "''"
        at_most = "" if limit is None else f" LIMIT {int(limit)}"
        query = FINDINGS.replace("{classes}", names).replace("{limit}", at_most)
        assert self._connection is not None  # noqa: S101  run() came first
        cursor = duck.quiet(self._connection.cursor())
        cursor.execute(query)
        columns = [each[0] for each in cursor.description or ()]
        while batch := cursor.fetchmany(1000):
            for row in batch:
                yield dict(zip(columns, row, strict=True))

    def missing(self) -> list[Row]:
        """What is missing on one side and was not asked for yet: `side` is the one to ask, `id`
        what it is asked for; of the ledger also the other names that a row may have."""
        return self._rows("SELECT * FROM missing ORDER BY money DESC NULLS LAST, id")

    def oldest(self) -> dict[MatchClass, int]:
        """When the oldest finding of each class was made, microseconds since the epoch."""
        rows = self._rows(
            "SELECT class, min(coalesce(stripe_us, ledger_us)) AS us FROM findings GROUP BY class"
        )
        return {MatchClass(row["class"]): row["us"] for row in rows if row["us"] is not None}

    def live(self, orders: Iterable[str], customers: Iterable[str]) -> list[Row]:
        """Intents that took money (and keep it), or are about to, for these orders, and for these
        customers in the whole spool: `id`, `order_id`, `customer`."""
        for table, names in (("asked_orders", orders), ("asked_customers", customers)):
            self._execute(f"CREATE OR REPLACE TABLE {table} (name VARCHAR)")
            assert self._connection is not None  # noqa: S101  run() came first
            _insert(self._connection, table, [(each,) for each in sorted(set(names))])
        return self._rows(LIVE)

    def _execute(self, query: str) -> None:
        assert self._connection is not None  # noqa: S101  run() came first
        self._connection.execute(query)

    def _rows(self, query: str) -> list[Row]:
        assert self._connection is not None  # noqa: S101  run() came first
        found = self._connection.execute(query)
        columns = [each[0] for each in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def _prepare(self, connection: DuckDBPyConnection) -> None:
        for statement in _split(_MACROS):
            connection.execute(statement)
        options = self._options
        live = None if options.livemode is None else str(options.livemode).lower()
        edges = [_us(options.window.since), _us(options.window.until), _us(options.now)]
        connection.execute(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)",
            [
                *edges,
                round(options.grace.total_seconds() * 1_000_000),
                live,
                options.knows_refunds,
            ],
        )
        keeps_refunds = any(each.kind == "refunds" for each in options.ledgers.values())
        for name, ledger in options.ledgers.items():
            connection.execute(
                "INSERT INTO ledgers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    name,
                    ledger.kind,
                    ledger.amount_unit == "major",
                    not ledger.match_case,
                    ledger.truncated_cents,
                    bool(ledger.statuses.get("refunded"))
                    or not _records_refunds(ledger, keeps_refunds),
                    bool(ledger.statuses.get("partially_refunded")),
                    bool(ledger.statuses.get("requires_action")),
                    keeps_refunds,
                    bool(ledger.columns.fee),
                ],
            )
        _insert(connection, "words", words(options.ledgers))
        factors = [(each, 1) for each in ZERO_DECIMAL] + [(each, 1000) for each in THREE_DECIMAL]
        _insert(connection, "exponents", sorted(factors))
        _insert(connection, "verdicts", verdicts())
        _insert(connection, "absent", sorted(set(self._absent)))
        for view, columns, kinds in self._sources():
            connection.execute(f"CREATE VIEW {view} AS {self._union(columns, kinds)}")

    def _sources(self) -> Iterator[tuple[str, Sequence[str], list[tuple[str, str | None]]]]:
        yield "source_intents", INTENTS, [("intents", None)]
        yield "source_refunds", REFUNDS, [("refunds", None)]
        yield "source_disputes", DISPUTES, [("disputes", None)]
        yield "source_sessions", SESSIONS, [("sessions", None)]
        yield "source_keys", KEYS, [("keys", None)]
        for view, kind in (("source_payments", "payments"), ("source_local_refunds", "refunds")):
            names = [n for n, ledger in self._options.ledgers.items() if ledger.kind == kind]
            yield view, LEDGER, [(f"ledger-{name}", name) for name in names]

    def _union(self, columns: Sequence[str], kinds: list[tuple[str, str | None]]) -> str:
        """One SELECT of the files of these kinds; of ledgers with their name in front."""
        ledgers = columns is LEDGER
        selects = []
        for kind, ledger in kinds:
            files = [
                path
                for folder in (self._spool, self._spool / CONFIRMED)
                for path in sorted((folder / kind).glob("*.csv"))
            ]
            name = f"{_quoted(ledger)} AS ledger, " if ledger is not None else ""
            if files:
                selects.append(f"SELECT {name}* FROM {_read(files, columns)}")  # noqa: S608
        if not selects:
            name = "CAST(NULL AS VARCHAR) AS ledger, " if ledgers else ""
            nulls = ", ".join(f"CAST(NULL AS {_type(each, columns)}) AS {each}" for each in columns)
            return f"SELECT {name}{nulls} WHERE FALSE"
        return " UNION ALL ".join(selects)


def words(ledgers: Mapping[str, Ledger]) -> Iterator[tuple[str, str, str]]:
    """The mapping as (ledger, the table's value, payops' word); case-blind ones in lower case."""
    for name, ledger in ledgers.items():
        seen: set[str] = set()
        for word, values in ledger.statuses.items():
            for value in values:
                known = value if ledger.match_case else value.lower()
                if known not in seen:
                    seen.add(known)
                    yield name, known, word


def _records_refunds(ledger: Ledger, keeps_refunds: bool) -> bool:
    """Whether refunds are recorded anywhere but in the status."""
    return keeps_refunds or bool(ledger.columns.refunded_amount)


@cache
def statements() -> tuple[str, ...]:
    """match.sql, one statement each, without comments."""
    return _split((Path(__file__).with_name("match.sql")).read_text(encoding="utf-8"))


def _split(text: str) -> tuple[str, ...]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(each.strip() for each in "\n".join(lines).split(";") if each.strip())


def _insert(connection: DuckDBPyConnection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    known = list(rows)
    for at in range(0, len(known), 1000):
        batch = known[at : at + 1000]
        places = ", ".join(f"({', '.join('?' for _ in row)})" for row in batch)
        values = [value for row in batch for value in row]
        connection.execute(f"INSERT INTO {table} VALUES {places}", values)  # noqa: S608


def _read(files: Sequence[Path], columns: Sequence[str]) -> str:
    names = ", ".join(_quoted(str(path)) for path in files)
    types = ", ".join(f"{_quoted(each)}: '{_type(each, columns)}'" for each in columns)
    return (
        f"read_csv([{names}], header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\n', columns = {{{types}}})"
    )


def _type(column: str, columns: Sequence[str]) -> str:
    amount = column in ("amount", "fee") and columns is not LEDGER
    return "BIGINT" if amount or column in _WHOLE else "VARCHAR"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _us(moment: datetime) -> int:
    whole = int(moment.timestamp() // 1)
    return whole * 1_000_000 + moment.microsecond
