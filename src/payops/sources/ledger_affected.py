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
from payops.sources.lookup import customers_of

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
    middle: datetime,
    stuck_before: datetime | None,
    keys: Sequence[str],
) -> Failing:
    """Of the rows created in `span`: failures by our fault since `failing_since`, before and after
    `middle`; and the customers of those, of what is open since before `stuck_before`, and of
    `keys`. None is of none. Only failed and open rows are read, so that an index on the status
    serves it. Raises SourceError."""
    reader = source.ledger(ledger)
    wanted = reader.words({PaymentStatus.FAILED, *OPEN})
    told = reader.ask(
        "ledger_affected",
        _Row,
        {"since": span.since, "until": span.until},
        wanted,
        failing_since=failing_since or span.until,
        middle=middle,
        stuck_before=stuck_before or span.since,
        failed=[word.lower() for word in reader.words([PaymentStatus.FAILED])],
        open=[word.lower() for word in reader.words(OPEN)],
        declines=sorted(ISSUER_DECLINES),
        own_declines=list(ledger.issuer_declines),
        others=customers_of(source, ledger, keys),
    )
    (row,) = told.rows
    return Failing(
        earlier=row.earlier,
        later=row.later,
        newest=utc(row.newest) if row.newest else None,
        customers=row.customers if ledger.columns.customer_id else None,
        middle=middle,
    )
