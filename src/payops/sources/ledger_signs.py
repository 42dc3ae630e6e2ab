"""Signs of trouble in a ledger, beyond what became of its payments: how long they take, how many
come, whose they are, which are made twice or are unusually large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from payops.domain.declines import ISSUER_DECLINES
from payops.domain.money import MoneyAtRisk
from payops.domain.payment import OPEN, PAID, PaymentStatus
from payops.sources.ledger import utc

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource

DAYS = 7  # that the present is held against


@dataclass(frozen=True)
class Latency:
    """Seconds from a payment's making to its completion; of none, all are None."""

    count: int
    average: float | None
    median: float | None
    p95: float | None
    longest: float | None
    as_of: datetime


@dataclass(frozen=True)
class Customer:
    """One customer's attempts of a window: `ours` failed by our fault, the first at `first`;
    `declined` by the issuer."""

    customer: str
    attempts: int
    ours: int
    declined: int
    first: datetime | None


@dataclass(frozen=True)
class Customers:
    """The customers of a window with most failures of ours, then most attempts.

    `customers` is how many there were, `failing` how many of them had a failure of ours.
    """

    rows: tuple[Customer, ...]
    customers: int
    failing: int
    as_of: datetime


@dataclass(frozen=True)
class Volume:
    """Payments of a window, and of the same hours `1..7` days before, yesterday first."""

    now: int
    before: tuple[int, ...]
    as_of: datetime


@dataclass(frozen=True)
class Pairs:
    """Payments that followed one of the same order (or customer) and amount too soon.

    `first` and `second` are the keys of the latest pair of the commonest currency.
    """

    money: tuple[MoneyAtRisk, ...]
    last: datetime | None
    first: str
    second: str
    as_of: datetime

    @property
    def count(self) -> int:
        """All of them."""
        return sum(each.count for each in self.money)


@dataclass(frozen=True)
class High:
    """Payments above the limit of their currency; `largest` are keys with their minor units."""

    money: tuple[MoneyAtRisk, ...]
    largest: tuple[tuple[str, str, int], ...]
    first: datetime | None
    as_of: datetime

    @property
    def count(self) -> int:
        """All of them."""
        return sum(each.count for each in self.money)


@dataclass(frozen=True)
class _LatencyRow:
    count: int
    average: float | None
    median: float | None
    p95: float | None
    longest: float | None


@dataclass(frozen=True)
class _CustomerRow:
    customer: str
    attempts: int
    ours: int
    declined: int
    customers: int
    failing: int
    first: datetime | None


@dataclass(frozen=True)
class _CountRow:
    day: int
    count: int


@dataclass(frozen=True)
class _PairRow:
    currency: str
    count: int
    minor: Decimal
    last: datetime
    first: str
    second: str


@dataclass(frozen=True)
class _HighRow:
    currency: str
    count: int
    minor: Decimal
    most: Decimal
    largest: str
    first: datetime


class LedgerSigns:
    """Reads one mapped table. Every method raises SourceError, SCHEMA when the mapping does not
    fit."""

    def __init__(self, source: PostgresSource, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger
        self._reader = source.ledger(ledger)

    def latency(self, window: Window) -> Latency:
        """Of the paid payments that were created in the window."""
        paid = self._reader.words(PAID)
        told = self._reader.ask("ledger_latency", _LatencyRow, _bounds(window), paid)
        (row,) = told.rows
        return Latency(row.count, row.average, row.median, row.p95, row.longest, told.now)

    def customers(self, window: Window, most: int) -> Customers:
        """The `most` with most attempts, and the `most` with most failures of ours."""
        told = self._reader.ask(
            "ledger_customers",
            _CustomerRow,
            _bounds(window),
            None,
            failed=[word.lower() for word in self._reader.words([PaymentStatus.FAILED])],
            declines=sorted(ISSUER_DECLINES),
            own_declines=list(self._ledger.issuer_declines),
            most=most,
        )
        return Customers(
            tuple(
                Customer(
                    r.customer, r.attempts, r.ours, r.declined, utc(r.first) if r.first else None
                )
                for r in told.rows
            ),
            customers=told.rows[0].customers if told.rows else 0,
            failing=told.rows[0].failing if told.rows else 0,
            as_of=told.now,
        )

    def volume(self, window: Window) -> Volume:
        """How many were created in the window, and in the same hours of the days before: a range of
        the index a day, or the table read once where it has none."""
        from psycopg import sql

        table = self._source.table(self._ledger)
        sinces = [window.since - timedelta(days=day) for day in range(DAYS + 1)]
        untils = [window.until - timedelta(days=day) for day in range(DAYS + 1)]
        edges = [
            table.created(">=", "first"),
            table.created("<", "last"),
            table.created(">=", sql.Identifier("payops_span", "payops_since")),
            table.created("<", sql.Identifier("payops_span", "payops_until")),
        ]
        rows = self._source.rows(
            "ledger_count",
            _CountRow,
            identifiers={"table": table.name, "matches": sql.SQL(" AND ").join(edges)},
            zone=self._ledger.timezone,
            first=sinces[-1],
            last=untils[0],
            sinces=sinces,
            untils=untils,
        )
        counts = {row.day: row.count for row in rows}
        before = tuple(counts.get(day, 0) for day in range(1, DAYS + 1))
        return Volume(counts.get(0, 0), before, window.until)

    def pairs(self, window: Window, within_s: float) -> Pairs:
        """Paid or open payments that followed their like within so many seconds."""
        told = self._reader.ask(
            "ledger_duplicates",
            _PairRow,
            _bounds(window),
            self._reader.words(PAID | OPEN),
            within=within_s,
        )
        rows = told.rows
        return Pairs(
            tuple(MoneyAtRisk(row.currency, int(row.minor), row.count) for row in rows),
            last=max((utc(row.last) for row in rows), default=None),
            first=rows[0].first if rows else "",
            second=rows[0].second if rows else "",
            as_of=told.now,
        )

    def high(self, window: Window, limits: Mapping[str, int]) -> High:
        """Paid or open payments above `limits` (currency: minor units)."""
        told = self._reader.ask(
            "ledger_high",
            _HighRow,
            _bounds(window),
            self._reader.words(PAID | OPEN),
            currencies=[currency.lower() for currency in limits],
            limits=list(limits.values()),
        )
        return High(
            tuple(MoneyAtRisk(row.currency, int(row.minor), row.count) for row in told.rows),
            tuple((row.largest, row.currency, int(row.most)) for row in told.rows),
            first=min((utc(row.first) for row in told.rows), default=None),
            as_of=told.now,
        )


def _bounds(window: Window) -> dict[str, datetime | None]:
    return {"since": window.since, "until": window.until}
