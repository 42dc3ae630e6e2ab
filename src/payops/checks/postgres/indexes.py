"""Have the columns that payments are looked up by an index that works?

Without one each webhook, each reconciliation and each of these checks reads the whole ledger, and
it gets slower day by day. An index whose CREATE INDEX CONCURRENTLY failed is left behind invalid:
it is kept up to date by every write and serves no query (runbook 000, slow queries).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.contract import Check, Context
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError
from payops.sources.postgres_tables import Index

if TYPE_CHECKING:
    from payops.config.settings import Settings

LIMITS = {
    # a table of 100,000 rows is read in some 20 ms; its tenfold in a quarter of a second
    "rows": Threshold(100_000, None, "count", "payops: rows from which a missing index is felt"),
    "invalid": Threshold(0, None, "count", "payops: it costs each write and serves no query"),
}
# Of what a state is, an index tells little by itself; behind the time of creation it helps too.
_ANYWHERE = frozenset({"status"})
_SHOWN = 8
_TABLES = frozenset({"r", "p"})


@dataclass(frozen=True)
class Facts:
    """`wanted` are the columns of each table that need an index, by payops' word; `rows` the
    planner's estimate of each table that exists."""

    as_of: datetime
    wanted: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, int]
    indexes: tuple[Index, ...]


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_tables import indexes, mapped_tables, tables

    names = mapped_tables(ctx.settings)
    if not names:
        raise NotConfiguredError("no ledger and no event log is mapped")
    names = tuple(dict.fromkeys([*names, *_wanted(ctx.settings)]))
    seen, found = tables(ctx.sources.postgres, names), indexes(ctx.sources.postgres, names)
    rows = {one.name: one.rows for one in seen.rows if one.kind in _TABLES}
    return Facts(seen.as_of, _wanted(ctx.settings), rows, found.rows)


def _wanted(settings: Settings) -> dict[str, dict[str, str]]:
    """Table: {payops' word: its column}."""
    found: dict[str, dict[str, str]] = {}
    for ledger in settings.ledgers.values():
        for word in ("created_at", "status", "processor_ref"):
            if column := getattr(ledger.columns, word):
                found.setdefault(ledger.table, {})[word] = column
    for log in settings.event_logs.values():
        found.setdefault(log.table, {})["event_id"] = log.columns.event_id
    collections = settings.external.collections if settings.external else None
    if collections:
        found.setdefault(collections.table, {})["status"] = collections.columns.status
    return found


def judge(facts: Facts, limits: Limits) -> CheckResult:
    broken = [one for one in facts.indexes if not one.valid and not one.building]
    missing = [
        (table, word, column)
        for table, columns in facts.wanted.items()
        for word, column in columns.items()
        if table in facts.rows and not _served(facts, table, word, column)
    ]
    # A small table is read faster than its index; it is told, and not held against it.
    felt = [each for each in missing if _matters(facts.rows[each[0]], limits)]
    most = max((facts.rows[table] for table, _, _ in missing), default=0)
    measured = {
        "rows": most,
        "invalid": len(broken),
        "missing": len(missing),
    }
    status = limits["invalid"].judge(len(broken))
    if felt:
        status = max(status, limits["rows"].judge(most), key=lambda each: each.rank)
    parts = []
    if broken:
        parts.append(
            f"{_count(len(broken), 'index')} invalid: {_names(one.name for one in broken)}"
        )
    if missing:
        named = _names(f"{table}.{column}" for table, _, column in (felt or missing))
        many = "" if felt else ", on tables that are small yet"
        parts.append(f"no index on {named}{many}")
    return CheckResult(
        status,
        "; ".join(parts)
        or f"{_count(len(facts.indexes), 'index')} on the mapped tables, as needed",
        as_of=facts.as_of,
        measured=measured,
        evidence=(*_broken(facts, broken), *_missing(facts, felt)),
        actions=_actions(broken, felt) if status is not Status.OK else (),
    )


def _matters(rows: int, limits: Limits) -> bool:
    return limits["rows"].judge(rows) is not Status.OK


def _served(facts: Facts, table: str, word: str, column: str) -> bool:
    for index in facts.indexes:
        if index.table != table or not index.valid:
            continue
        if word in _ANYWHERE and column in index.columns:
            return True
        if index.partial and word != "processor_ref":
            continue  # of processor_ref one WHERE it IS NOT NULL serves every lookup
        if index.columns[:1] == [column]:
            return True
        if index.columns[:1] == [""] and column in index.first:  # lower(status)
            return True
    return False


def _broken(facts: Facts, broken: list[Index]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            f"index {_one(one.name)} of {_one(one.table)} is invalid: it serves no query",
            "postgres",
            facts.as_of,
        )
        for one in broken[:_SHOWN]
    )


def _missing(facts: Facts, felt: list[tuple[str, str, str]]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            f"{_one(table)} has about {facts.rows[table]:,} rows and no index on {_one(column)} "
            f"({word})",
            "postgres",
            facts.as_of,
        )
        for table, word, column in felt[:_SHOWN]
    )


def _actions(broken: list[Index], felt: list[tuple[str, str, str]]) -> tuple[Action, ...]:
    found = []
    if broken:
        found.append(
            Action(
                "Build it anew, which does not lock the table: REINDEX INDEX CONCURRENTLY "
                f"{_quoted(broken[0].name)}; or drop it"
            )
        )
    found += [
        Action(
            "Make it, which does not lock the table: CREATE INDEX CONCURRENTLY ON "
            f"{'.'.join(_quoted(part) for part in table.split('.', 1))} ({_quoted(column)})"
        )
        for table, _, column in felt[:3]
    ]
    return tuple(found)


def _quoted(name: str) -> str:
    return harmless('"' + name.replace('"', '""') + '"')


def _one(name: str) -> str:
    return shortened(harmless(name), 60)


def _names(names: Iterable[str]) -> str:
    found = [_one(name) for name in names]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} indexes"


CHECK = Check(
    title="Payments are found by index",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-53", "S3-12"),
)
