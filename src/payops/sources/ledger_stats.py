"""A mapped table of payments in numbers over time: rates, latency, failures, by hour or day.

Buckets are hours and days of UTC, which has no daylight saving: each is as long as the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from psycopg import sql

from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL, Money
from payops.domain.payment import PAID, PaymentStatus
from payops.errors import NotConfiguredError
from payops.sources.ledger import MOST_KINDS, Outcome, refuse_too_many

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource

T = TypeVar("T")
Unit = Literal["hour", "day"]

_FAILED = frozenset({PaymentStatus.FAILED})


@dataclass(frozen=True)
class Latency:
    """From creation to completion, in milliseconds, of `count` payments; None without any.

    `p50` and `p95` lie between two payments where they fall between them (percentile_cont).
    `negative` were completed before they were created, and are in none of the numbers.
    """

    count: int
    negative: int
    average: float | None
    p50: float | None
    p95: float | None
    longest: float | None


NO_LATENCY = Latency(0, 0, None, None, None, None)


@dataclass(frozen=True)
class FailedPayment:
    """A row that failed: `status` and `failure_code` are the table's own words, `amount` None where
    it is NULL or not whole minor units."""

    id: str
    processor_ref: str | None
    status: str
    failure_code: str | None
    amount: Money | None
    created_at: datetime


@dataclass(frozen=True)
class Customers:
    """Distinct customers with a failed payment: of all, and by failure code (None is no code)."""

    total: int
    by_code: dict[str | None, int]


@dataclass(frozen=True)
class _BucketRow:
    since: datetime | None
    status: str | None
    failure_code: str | None
    currency: str
    count: int
    minor: Decimal
    inexact: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class _LatencyRow:
    since: datetime | None
    count: int
    negative: int
    average: float | None
    cuts: list[float] | None
    longest: float | None


@dataclass(frozen=True)
class _CustomerRow:
    is_total: bool
    failure_code: str | None
    customers: int


@dataclass(frozen=True)
class _FailedRow:
    id: str
    processor_ref: str | None
    status: str
    failure_code: str | None
    currency: str
    minor: Decimal | None
    created_at: datetime


class StatsReader:
    """Reads one mapped table. Every method raises SourceError, SCHEMA when the mapping does not
    fit."""

    def __init__(self, source: PostgresSource, ledger: Ledger) -> None:
        self._source = source
        self._reader = source.ledger(ledger)
        self._ledger = ledger
        self._words = {
            raw if ledger.match_case else raw.lower(): PaymentStatus(word)
            for word, raws in ledger.statuses.items()
            for raw in raws
        }

    def outcomes(self, window: Window) -> tuple[Outcome, ...]:
        """The payments created in `window` as `LedgerReader.outcomes` counts them, in one pass that
        a ledger of millions stands too."""
        table, columns = self._source.table(self._ledger), self._ledger.columns
        edges = [table.created(">=", "since"), table.created("<", "until")]
        rows = self._source.rows(
            "stats_counts",
            _BucketRow,
            identifiers={
                "table": table.name,
                "created_at": table.created_at,
                "status": table.column(columns.status),
                "failure_code": table.column(columns.failure_code),
                "currency": table.column(columns.currency),
                "amount_column": table.column(columns.amount),
                "amount": table.amount,
                "in_minor_units": table.in_minor_units,
                "matches": sql.SQL(" AND ").join(edges),
            },
            since=window.since,
            until=window.until,
            currency=self._ledger.currency,
            zone=self._ledger.timezone,
            zero_decimal=sorted(ZERO_DECIMAL),
            three_decimal=sorted(THREE_DECIMAL),
            most=MOST_KINDS + 1,
        )
        refuse_too_many(self._ledger, len(rows), MOST_KINDS)
        return tuple(self._outcome(row) for row in rows)

    def series(self, window: Window, unit: Unit) -> dict[datetime, tuple[Outcome, ...]]:
        """The same by the beginning of their hour or day; one without payments is not told."""
        found: dict[datetime, list[Outcome]] = {}
        most = 5 * MOST_KINDS  # of all buckets together
        rows = self._ask("stats_series", _BucketRow, window, None, unit=unit, most=most + 1)
        refuse_too_many(self._ledger, len(rows), most)
        for row in rows:
            since = _utc(row.since)
            assert since is not None  # noqa: S101  the edges leave no row without a time
            found.setdefault(since, []).append(self._outcome(row))
        return {since: tuple(outcomes) for since, outcomes in found.items()}

    def latency(self, window: Window) -> Latency:
        """Of the payments created in `window` that took money. Raises NotConfiguredError where no
        time of completion is mapped."""
        return self._latencies(window, None).get(None, NO_LATENCY)

    def latencies(self, window: Window, unit: Unit) -> dict[datetime, Latency]:
        """The same by the beginning of their hour or day."""
        found = self._latencies(window, unit)
        return {since: one for since, one in found.items() if since is not None}

    def customers(self, window: Window) -> Customers | None:
        """Who met the failures of `window`; None where no customer is mapped."""
        if not self._ledger.columns.customer_id:
            return None
        rows = self._ask("stats_customers", _CustomerRow, window, _FAILED)
        return Customers(
            total=next((row.customers for row in rows if row.is_total), 0),
            by_code={row.failure_code: row.customers for row in rows if not row.is_total},
        )

    def failures(self, window: Window, most: int) -> tuple[FailedPayment, ...]:
        """The last `most` payments of `window` that failed, the latest first."""
        rows = self._ask("stats_failures", _FailedRow, window, _FAILED, most=most)
        return tuple(
            FailedPayment(
                id=row.id,
                processor_ref=row.processor_ref,
                status=row.status,
                failure_code=row.failure_code,
                amount=None if row.minor is None else Money(row.currency, int(row.minor)),
                created_at=row.created_at.astimezone(UTC),
            )
            for row in rows
        )

    def _latencies(self, window: Window, unit: Unit | None) -> dict[datetime | None, Latency]:
        if not self._ledger.columns.completed_at:
            raise NotConfiguredError(
                "no time of completion is mapped: how long payments took is stored nowhere",
                hint="map columns.completed_at of the ledger, if the table has one",
            )
        # date_trunc of NULL is NULL: all of them are one group.
        rows = self._ask("stats_latency", _LatencyRow, window, PAID, unit=unit)
        return {_utc(row.since): _latency(row) for row in rows}

    def _outcome(self, row: _BucketRow) -> Outcome:
        return Outcome(
            status=self._word(row.status),
            raw=row.status if row.status is not None else "NULL",
            failure_code=row.failure_code,
            currency=row.currency,
            count=row.count,
            minor=int(row.minor),
            inexact=row.inexact,
            first=row.first.astimezone(UTC),
            last=row.last.astimezone(UTC),
        )

    def _word(self, raw: str | None) -> PaymentStatus | None:
        if raw is None:
            return None
        return self._words.get(raw if self._ledger.match_case else raw.lower())

    def _ask(
        self,
        name: str,
        into: type[T],
        window: Window,
        statuses: frozenset[PaymentStatus] | None,
        **params: Any,
    ) -> list[T]:
        bounds: dict[str, datetime | None] = {"since": window.since, "until": window.until}
        wanted = None if statuses is None else self._reader.words(statuses)
        return self._reader.ask(name, into, bounds, wanted, **params).rows


def _latency(row: _LatencyRow) -> Latency:
    p50, p95 = row.cuts or (None, None)
    longest = row.longest if row.count else None
    return Latency(row.count, row.negative, row.average, p50, p95, longest)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
