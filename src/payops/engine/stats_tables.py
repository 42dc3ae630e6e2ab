"""The numbers of `payops stats` as tables.

`series` is what is drawn, `series_money` the same by currency, the others hold windows side by
side. Money is whole minor units; an average of money is rounded to them, half up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.ledger import tally
from payops.domain.declines import declined_by_issuer
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.payment import PAID, PaymentStatus
from payops.domain.table import Cell, Column, Table
from payops.domain.text import shortened
from payops.engine.stats_judged import share

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.engine.stats_numbers import Numbers
    from payops.sources.ledger import Outcome, Outcomes

_MOST_CODES = 20
_LONGEST_WORD = 40
Row = tuple[Cell | None, ...]


def tables(found: Numbers) -> tuple[Table, ...]:
    """All of them; one whose question got no answer says so in its note."""
    made = [
        _windows(found),
        _money(found),
        _latency(found),
        _declines(found),
        _statuses(found),
        _failures(found),
    ]
    if found.outside is not None or "processors" in found.untold:
        made.append(_processors(found))
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
        volume = _volumes(found.series.get(since, ()) if found.series else ())
        rows.append(
            (
                since,
                counted.attempts + counted.unknown,
                counted.paid,
                counted.declined,
                counted.ours,
                counted.undecided + counted.unknown,
                share(counted.paid, counted.decided),
                _whole(latency.p95) if latency else None,
                tuple(MoneyAtRisk(code, minor, count) for code, (minor, count) in volume.items()),
            )
        )
    note = f"{spans.shown.title}, UTC; the first and the last {spans.unit} are cut by its edges"
    if spans.judged.name == "this":
        note = f"{spans.shown.title}, whole days of UTC"
    title = f"By {spans.unit}"
    return Table("series", title, columns, tuple(rows), _note(found, "series", note))


def _series_money(found: Numbers) -> Table:
    columns = (
        Column("since", found.spans.unit.capitalize()),
        Column("currency", "Currency"),
        Column("paid", "Paid"),
        Column("volume", "Volume", money=True),
        Column("average", "Average", money=True),
    )
    rows: list[Row] = [
        (since, code, count, Money(code, minor), _average(code, minor, count))
        for since, outcomes in sorted((found.series or {}).items())
        for code, (minor, count) in sorted(_volumes(outcomes).items())
    ]
    title = f"Money by {found.spans.unit} and currency"
    return Table("series_money", title, columns, tuple(rows), _note(found, "series", ""))


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
        "windows", "Windows side by side", columns, tuple(rows), _note(found, "counts", note)
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
        for code, (minor, count) in sorted(_volumes(outcomes.rows if outcomes else ()).items()):
            odd = _inexact(outcomes.rows if outcomes else (), code)
            rows.append(
                (span.name, code, count, Money(code, minor), _average(code, minor, count), odd)
            )
    note = "gross, of payments that took money, whatever was refunded later"
    return Table(
        "money", "Volume and average size", columns, tuple(rows), _note(found, "counts", note)
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
            _whole(one.average),
            _whole(one.p50),
            _whole(one.p95),
            _whole(one.longest),
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
        _note(found, "latency", note),
    )


def _declines(found: Numbers) -> Table:
    """Each failure code with its count in every window, most frequent of the longest first."""
    spans = found.spans.all
    columns = (
        Column("code", "Why", wide=True),
        Column("whose", "Whose"),
        *(Column(f"in_{span.name}", span.name) for span in spans),
        Column("share", "Share", unit="%"),
        Column("customers", "Customers"),
    )
    by_code: dict[str | None, dict[str, int]] = {}
    for span in spans:
        outcomes = found.outcomes.get(span.name)
        for one in outcomes.rows if outcomes else ():
            if one.status is PaymentStatus.FAILED:
                counts = by_code.setdefault(one.failure_code, {})
                counts[span.name] = counts.get(span.name, 0) + one.count
    shown = found.spans.shown.name
    failed = sum(counts.get(shown, 0) for counts in by_code.values())
    ordered = sorted(
        by_code.items(),
        key=lambda item: (-item[1].get(shown, 0), -max(item[1].values()), str(item[0])),
    )
    customers = found.customers
    rows: list[Row] = [
        (
            shortened(code or "no reason recorded", _LONGEST_WORD),
            _whose(code, found.ledger),
            *(counts.get(span.name, 0) for span in spans),
            round(100 * counts.get(shown, 0) / failed, 1) if failed else None,
            customers.by_code.get(code, 0) if customers else None,
        )
        for code, counts in ordered[:_MOST_CODES]
    ]
    parts = [f"share and customers: of {shown}"]
    if customers:
        noun = "customer" if customers.total == 1 else "customers"
        parts.append(f"{customers.total:,} {noun} met a failure")
    if len(ordered) > _MOST_CODES:
        parts.append(f"{len(ordered) - _MOST_CODES:,} more codes")
    if not rows:
        parts = ["no payment failed"]
    elif not found.ledger.columns.failure_code:
        parts.append("the ledger stores no reason, so that each counts as ours")
    return Table("declines", "Why payments failed", columns, tuple(rows), "; ".join(parts))


def _statuses(found: Numbers) -> Table:
    """Counts by the table's own words (S4-34)."""
    spans = found.spans.all
    columns = (
        Column("status", "Status", wide=True),
        Column("means", "Means"),
        *(Column(f"in_{span.name}", span.name) for span in spans),
    )
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for span in spans:
        outcomes = found.outcomes.get(span.name)
        for one in outcomes.rows if outcomes else ():
            means = one.status.value if one.status else "not mapped"
            row = counts.setdefault((one.raw, means), {})
            row[span.name] = row.get(span.name, 0) + one.count
    ordered = sorted(counts.items(), key=lambda item: (-max(item[1].values()), item[0]))
    rows: list[Row] = [
        (
            shortened(raw, _LONGEST_WORD),
            means,
            *(row.get(span.name, 0) for span in spans),
        )
        for (raw, means), row in ordered[:_MOST_CODES]
    ]
    more = len(ordered) - _MOST_CODES
    note = f"{more:,} more words" if more > 0 else ""
    return Table("statuses", "By status", columns, tuple(rows), _note(found, "counts", note))


def _failures(found: Numbers) -> Table:
    columns = (
        Column("id", "Payment"),
        Column("created_at", "Created"),
        Column("reason", "Why", wide=True),
        Column("amount", "Amount", money=True),
        Column("processor_ref", "At Stripe"),
    )
    rows: list[Row] = [
        (
            shortened(one.id, 80),
            one.created_at,
            shortened(one.failure_code or "no reason recorded", _LONGEST_WORD),
            one.amount,
            shortened(one.processor_ref, 80) if one.processor_ref else None,
        )
        for one in found.failures
    ]
    note = "payops trace PAYMENT tells what became of one" if rows else "none failed"
    return Table(
        "failures", "The last that failed", columns, tuple(rows), _note(found, "failures", note)
    )


def _processors(found: Numbers) -> Table:
    """The platform's own beside outside processors (S3-36), with fees and commission (S3-46)."""
    columns = (
        Column("processor", "Processor"),
        Column("paid", "Paid"),
        Column("volume", "Volume", money=True),
        Column("fees", "Fees", money=True),
        Column("commission", "Commission", money=True),
        Column("uncollected", "Not collected", money=True),
        Column("unreadable", "Unreadable"),
    )
    shown = found.outcomes.get(found.spans.shown.name)
    rows: list[Row] = (
        [
            ("platform", count, Money(code, minor), None, None, None, _inexact(shown.rows, code))
            for code, (minor, count) in sorted(_volumes(shown.rows).items())
        ]
        if shown
        else []
    )
    rows += [
        (
            one.processor or "?",
            one.count,
            Money(one.currency, one.minor),
            Money(one.currency, one.fee),
            Money(one.currency, one.commission),
            Money(one.currency, one.uncollected),
            one.inexact,
        )
        for one in found.outside or ()
    ]
    note = f"in {found.spans.shown.title}; together: {_together(rows) or 'nothing'}"
    return Table(
        "processors",
        "Platform and outside processors",
        columns,
        tuple(rows),
        _note(found, "processors", note),
    )


def _together(rows: Iterable[Row]) -> str:
    sums: dict[str, int] = {}
    for row in rows:
        volume = row[2]
        if isinstance(volume, Money):
            sums[volume.currency] = sums.get(volume.currency, 0) + volume.minor
    return ", ".join(str(Money(code, minor)) for code, minor in sorted(sums.items()))


def _note(found: Numbers, part: str, note: str) -> str:
    why = found.untold.get(part)
    return f"not known: {why}" if why else note


def _as_outcomes(found: Numbers, since: datetime) -> Outcomes:
    from payops.sources.ledger import Outcomes

    return Outcomes((found.series or {}).get(since, ()), found.as_of)


def _volumes(rows: Iterable[Outcome]) -> Mapping[str, tuple[int, int]]:
    """Minor units and readable payments that took money, by currency."""
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.status in PAID:
            minor, count = sums.get(row.currency, (0, 0))
            sums[row.currency] = (minor + row.minor, count + row.count - row.inexact)
    return sums


def _inexact(rows: Iterable[Outcome], currency: str) -> int:
    return sum(row.inexact for row in rows if row.status in PAID and row.currency == currency)


def _average(currency: str, minor: int, count: int) -> Money | None:
    return Money(currency, (2 * minor + count) // (2 * count)) if count else None


def _whose(code: str | None, ledger: Ledger) -> str:
    return "issuer" if declined_by_issuer(code, ledger.issuer_declines) else "ours"


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)
