"""The tables of `payops stats` that say why and whose: declines, statuses, failures, processors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from payops.domain.declines import declined_by_issuer
from payops.domain.money import Money
from payops.domain.payment import PaymentStatus
from payops.domain.table import Column, Table
from payops.domain.text import shortened
from payops.engine.stats_cells import Row, inexact, note_of, volumes

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.engine.stats_numbers import Numbers

_MOST_CODES = 20
_LONGEST_WORD = 40


def declines(found: Numbers) -> Table:
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


def statuses(found: Numbers) -> Table:
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
    return Table("statuses", "By status", columns, tuple(rows), note_of(found, "counts", note))


def failures(found: Numbers) -> Table:
    """The last that failed (S4-35)."""
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
        "failures", "The last that failed", columns, tuple(rows), note_of(found, "failures", note)
    )


def processors(found: Numbers) -> Table:
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
            ("platform", count, Money(code, minor), None, None, None, inexact(shown.rows, code))
            for code, (minor, count) in sorted(volumes(shown.rows).items())
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
        note_of(found, "processors", note),
    )


def _together(rows: Iterable[Row]) -> str:
    sums: dict[str, int] = {}
    for row in rows:
        volume = row[2]
        if isinstance(volume, Money):
            sums[volume.currency] = sums.get(volume.currency, 0) + volume.minor
    return ", ".join(str(Money(code, minor)) for code, minor in sorted(sums.items()))


def _whose(code: str | None, ledger: Ledger) -> str:
    return "issuer" if declined_by_issuer(code, ledger.issuer_declines) else "ours"
