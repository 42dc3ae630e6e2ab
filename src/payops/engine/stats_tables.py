"""The numbers of `payops stats` as tables.

`series` is what is drawn, `series_money` the same by currency, the others hold windows side by
side. Money is whole minor units; an average of money is rounded to them, half up.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.ledger import tally
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.table import Column, Table
from payops.engine.stats_cells import Row, average, inexact, note_of, volumes, whole
from payops.engine.stats_judged import share
from payops.engine.stats_tables_why import declines, failures, processors, statuses

if TYPE_CHECKING:
    from payops.engine.stats_numbers import Numbers
    from payops.sources.ledger import Outcomes


def tables(found: Numbers) -> tuple[Table, ...]:
    """All of them; one whose question got no answer says so in its note."""
    made = [
        _windows(found),
        _money(found),
        _latency(found),
        declines(found),
        statuses(found),
        failures(found),
    ]
    if found.outside is not None or "processors" in found.untold:
        made.append(processors(found))
    return (*made, _series(found), _series_money(found))


def for_people(made: tuple[Table, ...]) -> tuple[Table, ...]:
    """Without money by the hour and currency, which would fill screens: with one currency the
    hours' own column says it, with several a note says where it is."""
    return tuple(_narrow(table) for table in made if table.id != "series_money")


def _narrow(table: Table) -> Table:
    last = table.columns[-1]
    if table.id != "series" or not last.money:
        return table
    volumes = [row[-1] if isinstance(row[-1], tuple) else () for row in table.rows]
    if len({one.currency for volume in volumes for one in volume}) <= 1:
        rows = tuple(
            (*row[:-1], Money(volume[0].currency, volume[0].minor) if volume else None)
            for row, volume in zip(table.rows, volumes, strict=True)
        )
        return replace(table, rows=rows)
    note = f"{table.note}; by currency: --table series_money"
    rows = tuple(row[:-1] for row in table.rows)
    return replace(table, columns=table.columns[:-1], rows=rows, note=note)


def _series(found: Numbers) -> Table:
    spans = found.spans
    columns = (
        Column("since", spans.unit.capitalize()),
        Column("payments", "All"),
        Column("paid", "Paid"),
        Column("declined", "Declined"),
        Column("failed", "Failed"),
        Column("open", "Open"),
        Column("success_rate", "Success", unit="%"),
        Column("p95_ms", "p95", unit="ms"),
        Column("volume", "Volume", money=True),
    )
    rows: list[Row] = []
    for since in spans.buckets() if found.series is not None else ():
        counted = tally(_as_outcomes(found, since), found.ledger)
        latency = found.series_latency.get(since)
        volume = volumes(found.series.get(since, ()) if found.series else ())
        rows.append(
            (
                since,
                counted.attempts + counted.unknown,
                counted.paid,
                counted.declined,
                counted.ours,
                counted.undecided + counted.unknown,
                share(counted.paid, counted.decided),
                whole(latency.p95) if latency else None,
                tuple(MoneyAtRisk(code, minor, count) for code, (minor, count) in volume.items()),
            )
        )
    note = f"{spans.shown.title}, UTC; the first and the last {spans.unit} are cut by its edges"
    if spans.judged.name == "this":
        note = f"{spans.shown.title}, whole days of UTC"
    title = f"By {spans.unit}"
    return Table("series", title, columns, tuple(rows), note_of(found, "series", note))


def _series_money(found: Numbers) -> Table:
    columns = (
        Column("since", found.spans.unit.capitalize()),
        Column("currency", "Currency"),
        Column("paid", "Paid"),
        Column("volume", "Volume", money=True),
        Column("average", "Average", money=True),
    )
    rows: list[Row] = [
        (since, code, count, Money(code, minor), average(code, minor, count))
        for since, outcomes in sorted((found.series or {}).items())
        for code, (minor, count) in sorted(volumes(outcomes).items())
    ]
    title = f"Money by {found.spans.unit} and currency"
    return Table("series_money", title, columns, tuple(rows), note_of(found, "series", ""))


def _windows(found: Numbers) -> Table:
    columns = (
        Column("window", "Window"),
        Column("payments", "Payments"),
        Column("paid", "Paid"),
        Column("declined", "Declined"),
        Column("failed", "Failed"),
        Column("open", "Open"),
        Column("unmapped", "Unmapped"),
        Column("success_rate", "Success", unit="%"),
        Column("error_rate", "Errors", unit="%"),
    )
    rows: list[Row] = [
        (
            span.name,
            counted.attempts + counted.unknown,
            counted.paid,
            counted.declined,
            counted.ours,
            counted.undecided,
            counted.unknown,
            share(counted.paid, counted.decided),
            share(counted.ours, counted.attempts, up=True),
        )
        for span in found.spans.all
        if (counted := found.tallies.get(span.name))
    ]
    note = "success: of those not declined by the issuer and not open; errors: of all"
    return Table(
        "windows", "Windows side by side", columns, tuple(rows), note_of(found, "counts", note)
    )


def _money(found: Numbers) -> Table:
    columns = (
        Column("window", "Window"),
        Column("currency", "Currency"),
        Column("paid", "Paid"),
        Column("volume", "Volume", money=True),
        Column("average", "Average size", money=True),
        Column("unreadable", "Unreadable"),
    )
    rows: list[Row] = []
    for span in found.spans.all:
        outcomes = found.outcomes.get(span.name)
        for code, (minor, count) in sorted(volumes(outcomes.rows if outcomes else ()).items()):
            odd = inexact(outcomes.rows if outcomes else (), code)
            rows.append(
                (span.name, code, count, Money(code, minor), average(code, minor, count), odd)
            )
    note = "gross, of payments that took money, whatever was refunded later"
    return Table(
        "money", "Volume and average size", columns, tuple(rows), note_of(found, "counts", note)
    )


def _latency(found: Numbers) -> Table:
    columns = (
        Column("window", "Window"),
        Column("completed", "Completed"),
        Column("average_ms", "Average", unit="ms"),
        Column("p50_ms", "p50", unit="ms"),
        Column("p95_ms", "p95", unit="ms"),
        Column("longest_ms", "Longest", unit="ms"),
        Column("negative", "Before created"),
    )
    rows: list[Row] = [
        (
            span.name,
            one.count,
            whole(one.average),
            whole(one.p50),
            whole(one.p95),
            whole(one.longest),
            one.negative,
        )
        for span in found.spans.all
        if (one := found.latency.get(span.name))
    ]
    note = "from creation to completion as the ledger has them"
    return Table(
        "latency",
        "From creation to completion",
        columns,
        tuple(rows),
        note_of(found, "latency", note),
    )


def _as_outcomes(found: Numbers, since: datetime) -> Outcomes:
    from payops.sources.ledger import Outcomes

    return Outcomes((found.series or {}).get(since, ()), found.as_of)
