"""Whom an incident concerns, and whether its failures become more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.declines import ISSUER_DECLINES
from payops.domain.impact import Failing
from payops.domain.payment import OPEN, PaymentStatus
from payops.sources.ledger import utc

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource


@dataclass(frozen=True)
class _Row:
    customers: int
    earlier: int
    later: int
    newest: datetime | None


def failing(
    source: PostgresSource,
    ledger: Ledger,
    span: Window,
    *,
    failing_since: datetime | None,
    stuck_before: datetime | None,
    keys: Sequence[str],
) -> Failing:
    """Of the rows created in `span` (one read of its index): failures by our fault since
    `failing_since` in two halves, and the customers of those, of what is open since before
    `stuck_before`, and of `keys`. None is of none. Raises SourceError."""
    reader = source.ledger(ledger)
    begun = failing_since or span.until
    told = reader.ask(
        "ledger_affected",
        _Row,
        {"since": span.since, "until": span.until},
        None,
        failing_since=begun,
        middle=begun + (span.until - begun) / 2,
        stuck_before=stuck_before or span.since,
        failed=[word.lower() for word in reader.words([PaymentStatus.FAILED])],
        open=[word.lower() for word in reader.words(OPEN)],
        declines=sorted(ISSUER_DECLINES),
        own_declines=list(ledger.issuer_declines),
        keys=list(keys),
    )
    (row,) = told.rows
    return Failing(
        earlier=row.earlier,
        later=row.later,
        newest=utc(row.newest) if row.newest else None,
        customers=row.customers if ledger.columns.customer_id else None,
    )
