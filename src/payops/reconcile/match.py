"""Runs match.sql over a spool on DuckDB, out of core, and hands out what it found.

Nothing but this module knows DuckDB, and it is imported when a match is made. Memory is bounded
(`MEMORY`), what does not fit is spilled into a folder of the spool that goes with the match.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL
from payops.errors import PayopsError
from payops.reconcile.classify import verdicts
from payops.reconcile.spool_schema import DISPUTES, INTENTS, LEDGER, REFUNDS, SESSIONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payops.config.settings import Ledger
    from payops.domain.window import Window

MEMORY = "256MB"
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
CREATE MACRO whole_minor(t, major, factor) AS
    whole(TRY_CAST(t AS DECIMAL(27, 12)) * CASE WHEN major THEN coalesce(factor, 100) ELSE 1 END);
CREATE TABLE run (since_us BIGINT, until_us BIGINT, now_us BIGINT, grace_us BIGINT, livemode VARCHAR);
CREATE TABLE ledgers (name VARCHAR, kind VARCHAR, major BOOLEAN, fold BOOLEAN, truncated BOOLEAN,
    refund_words BOOLEAN, partial_words BOOLEAN, action_words BOOLEAN, refunds_ledger BOOLEAN, fee BOOLEAN);
CREATE TABLE words (ledger VARCHAR, value VARCHAR, word VARCHAR);
CREATE TABLE exponents (currency VARCHAR, factor SMALLINT);
CREATE TABLE verdicts (local_word VARCHAR, stripe_state VARCHAR, class VARCHAR, severity VARCHAR, risk VARCHAR);
CREATE TABLE absent (side VARCHAR, id VARCHAR, other_mode BOOLEAN);
"""


@dataclass(frozen=True)
class MatchOptions:
    """What is matched, and how.

    `window` is what is judged: each row by its own side's creation. `now` (aware UTC) is when the
    older side was read: ages and `grace` count from it. `livemode` is that of the key, None when
    nobody knows it. `ledgers` are the mapped ones whose rows are in the spool, by name.
    """

    window: Window
    now: datetime
    ledgers: Mapping[str, Ledger]
    grace: timedelta = timedelta(minutes=10)
    livemode: bool | None = None
    memory: str = MEMORY


@dataclass(frozen=True)
class Side:
    """Rows of one side in one class: how many, and their amounts by currency in minor units.

    An amount that is no whole number of minor units is in `count` alone.
    """

    count: int = 0
    minor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassTotal:
    """One class: `count` findings (of the harmless ones: payments), `minor` by currency at risk (of
    the harmless ones: their amount), and the rows of both sides that ended in it."""

    count: int = 0
    minor: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    stripe: Side = Side()
    ledger: Side = Side()
    critical: int = 0
    warnings: int = 0


@dataclass(frozen=True)
class Totals:
    """Every class of the payments, and of the refunds where a ledger of them is mapped.

    `cut_cents` counts matched payments with one minor unit less at Stripe (a known quirk).
    """

    payments: Mapping[MatchClass, ClassTotal]
    refunds: Mapping[MatchClass, ClassTotal]
    cut_cents: int = 0


Row = Mapping[str, Any]


class Absent(NamedTuple):
    """`side` (`stripe`, `ledger`) was asked for `id` and has no such thing; `other_mode`: Stripe has
    one in test mode, and the key is live, or the other way round."""

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
        self._connection = duckdb.connect(
            config={
                "memory_limit": self._options.memory,
                "threads": min(os.cpu_count() or 1, 4),
                "temp_directory": str(self._spill),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
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
        payments: dict[str, _Sums] = {}
        matched = payments.setdefault(MatchClass.MATCHED.value, _Sums())
        for row in self._rows("SELECT * FROM plain_totals"):
            matched.add(row)
        for row in self._rows(_CASE_TOTALS):
            payments.setdefault(row["class"], _Sums()).add(row)
        refunds: dict[str, _Sums] = {}
        for row in self._rows(_REFUND_TOTALS):
            refunds.setdefault(row["class"], _Sums()).add(row)
        cut = self._rows("SELECT count(*) AS n FROM cases WHERE class = 'matched' AND cut_cents")
        return Totals(_totals(payments), _totals(refunds), int(cut[0]["n"]))

    def findings(self, classes: Sequence[MatchClass], limit: int | None = None) -> Iterator[Row]:
        """Cases of these classes, the most money of its currency first, then the most severe."""
        names = ", ".join(f"'{each.value}'" for each in classes) or "''"
        at_most = "" if limit is None else f" LIMIT {int(limit)}"
        query = _FINDINGS.replace("{classes}", names) + at_most
        assert self._connection is not None  # noqa: S101  run() came first
        cursor = self._connection.cursor().execute(query)
        columns = [each[0] for each in cursor.description or ()]
        while batch := cursor.fetchmany(1000):
            for row in batch:
                yield dict(zip(columns, row, strict=True))

    def missing(self) -> list[Row]:
        """What is missing on one side and was not asked for yet: `side` is the one to ask, `id`
        what it is asked for; of the ledger also the other names that a row may have."""
        return self._rows(_MISSING)

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
        return self._rows(_LIVE)

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
            "INSERT INTO run VALUES (?, ?, ?, ?, ?)",
            [*edges, round(options.grace.total_seconds() * 1_000_000), live],
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


class _Sums:
    """Adds up rows of totals: one a currency."""

    def __init__(self) -> None:
        self.numbers = dict.fromkeys(("cases", "stripe_count", "ledger_count", "crit", "warn"), 0)
        self.minor: dict[str, dict[str, int]] = {
            "money": {},
            "stripe_minor": {},
            "ledger_minor": {},
        }
        self.counts: dict[str, int] = {}

    def add(self, row: Row) -> None:
        for name in self.numbers:
            self.numbers[name] += int(row.get(name) or 0)
        currency = row["currency"] or ""
        for name, sums in self.minor.items():
            own = row.get(f"{name}_currency", currency) or currency
            if row[name] is not None and (row[name] or row["cases"]):
                sums[own] = sums.get(own, 0) + int(row[name])
        if row["cases"]:
            self.counts[currency] = self.counts.get(currency, 0) + int(row["cases"])


def _totals(sums: Mapping[str, _Sums]) -> dict[MatchClass, ClassTotal]:
    found = {}
    for each in MatchClass:
        own = sums.get(each.value) or _Sums()
        numbers = own.numbers
        found[each] = ClassTotal(
            count=numbers["cases"],
            minor=dict(sorted(own.minor["money"].items())),
            counts=dict(sorted(own.counts.items())),
            stripe=Side(numbers["stripe_count"], dict(sorted(own.minor["stripe_minor"].items()))),
            ledger=Side(numbers["ledger_count"], dict(sorted(own.minor["ledger_minor"].items()))),
            critical=numbers["crit"],
            warnings=numbers["warn"],
        )
    return found


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


_HARMLESS = ", ".join(f"'{each.value}'" for each in sorted(HARMLESS, key=lambda e: e.value))
_CASE_TOTALS = """
SELECT class, currency, count(*) FILTER (WHERE NOT folded) AS cases,
    sum(money) FILTER (WHERE NOT folded) AS money,
    count(*) FILTER (WHERE severity = 'CRIT' AND NOT folded) AS crit,
    count(*) FILTER (WHERE severity = 'WARN' AND NOT folded) AS warn,
    0 AS stripe_count, NULL AS stripe_minor, 0 AS ledger_count, NULL AS ledger_minor
FROM cases GROUP BY class, currency
UNION ALL
SELECT class, stripe_currency, 0, NULL, 0, 0, count(*), sum(amount), 0, NULL
FROM cases WHERE stripe_inside GROUP BY class, stripe_currency
UNION ALL
SELECT class, ledger_currency, 0, NULL, 0, 0, 0, NULL, count(*), sum(stored)
FROM cases WHERE ledger_inside GROUP BY class, ledger_currency
UNION ALL
SELECT class, coalesce(stripe_currency, ledger_currency), count(*), sum(money),
    count(*) FILTER (WHERE severity = 'CRIT'), count(*) FILTER (WHERE severity = 'WARN'), 0, NULL, 0, NULL
FROM told_refunds GROUP BY class, coalesce(stripe_currency, ledger_currency)
"""
_REFUND_TOTALS = """
SELECT class, coalesce(stripe_currency, ledger_currency) AS currency, count(*) AS cases, sum(money) AS money,
    0 AS crit, 0 AS warn, 0 AS stripe_count, NULL AS stripe_minor, 0 AS ledger_count, NULL AS ledger_minor
FROM refund_cases WHERE stripe_inside OR ledger_inside GROUP BY 1, 2
UNION ALL
SELECT class, stripe_currency, 0, NULL, 0, 0, count(*), sum(stripe_minor), 0, NULL
FROM refund_cases WHERE stripe_inside AND place = 1 GROUP BY 1, 2
UNION ALL
SELECT class, ledger_currency, 0, NULL, 0, 0, 0, NULL, count(*), sum(ledger_minor)
FROM refund_cases WHERE ledger_inside GROUP BY 1, 2
"""
_FINDINGS = """
SELECT c.*, g.id AS suggested_id, g.key AS suggested_key, g.how AS suggested_how FROM findings AS c
LEFT JOIN suggestions AS g
    ON (c.id IS NULL AND g.ledger = c.ledger AND g.key = c.key) OR (c.key IS NULL AND g.id = c.id)
WHERE class IN ({classes})
ORDER BY money DESC NULLS LAST, CASE severity WHEN 'CRIT' THEN 0 WHEN 'WARN' THEN 1 ELSE 2 END,
    coalesce(stripe_us, ledger_us), c.id, c.key
"""
_MISSING = """
SELECT 'ledger' AS side, c.id, c.charge, c.session, c.meta_local, c.idempotency_key, NULL AS ledger, FALSE AS refund, money
FROM cases AS c WHERE class = 'missing_in_ledger' AND NOT confirmed
UNION ALL
SELECT 'stripe', coalesce(processor_ref, charge_ref, session_ref), NULL, NULL, NULL, NULL, ledger, FALSE, money
FROM cases WHERE class = 'missing_in_stripe' AND NOT confirmed
UNION ALL
SELECT 'ledger', stripe_id, NULL, NULL, NULL, NULL, NULL, TRUE, money
FROM refund_cases WHERE class = 'refund_missing' AND NOT confirmed AND stripe_inside
UNION ALL
SELECT 'stripe', processor_ref, NULL, NULL, NULL, NULL, ledger, TRUE, money
FROM refund_cases WHERE class = 'missing_in_stripe' AND NOT confirmed AND ledger_inside
ORDER BY money DESC NULLS LAST, id
"""
_LIVE = """
SELECT i.id, coalesce(l.order_id, i.meta_order) AS order_id, NULL AS customer FROM intents AS i
LEFT JOIN paired AS p ON p.id = i.id AND p.place = 1
LEFT JOIN ledger_rows AS l ON l.ledger = p.ledger AND l.key = p.key
WHERE NOT i.is_session AND (i.took > i.given OR i.state IN ('processing', 'held', 'action'))
    AND coalesce(l.order_id, i.meta_order) IN (SELECT name FROM asked_orders)
UNION ALL
SELECT DISTINCT id, NULL, customer FROM source_intents
WHERE customer IN (SELECT name FROM asked_customers)
    AND (status IN ('processing', 'requires_capture', 'requires_action')
        OR coalesce(amount_received, 0) > coalesce(amount_refunded, 0))
"""
