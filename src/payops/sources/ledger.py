"""A mapped table of payments, in payops' words.

Amounts become whole minor units in SQL, exactly: numeric times a power of ten. A row whose amount
is not whole minor units is counted, named in `inexact` and left out of the sum, never rounded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL, Money, MoneyAtRisk
from payops.domain.payment import PaymentStatus
from payops.errors import Failure, SourceError

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource
    from payops.sources.postgres_session import Told

T = TypeVar("T")

# Statuses x failure codes x currencies: a shop has some hundred.
MOST_KINDS = 20_000


@dataclass(frozen=True)
class OpenPayment:
    """One row: `status` is the table's own word, `amount` None where it is NULL or not whole minor
    units, `created_at` aware UTC."""

    id: str
    processor_ref: str | None
    status: str
    amount: Money | None
    created_at: datetime


@dataclass(frozen=True)
class OpenPayments:
    """Payments whose end nobody has said.

    `money` by currency, largest count first; `inexact` of them have an amount that is NULL or not
    whole minor units and is left out of the sums (not of the counts). `without_reference` have no
    `processor_ref`, None when the table has no such column. `sample` oldest first. `as_of` is the
    database's clock. `hours` of them are older than two hours, `days` older than a day.
    """

    count: int
    oldest: datetime | None
    money: tuple[MoneyAtRisk, ...]
    inexact: int
    without_reference: int | None
    sample: tuple[OpenPayment, ...]
    as_of: datetime
    hours: int = 0
    days: int = 0


@dataclass(frozen=True)
class Outcome:
    """Rows of one status, failure code and currency.

    `status` is None for a value that the mapping does not know (`raw` is it). `failure_code` is
    None where it is NULL or the table has no such column. `minor` sums the amounts, leaving out
    `inexact` rows as in `OpenPayments`. `first` and `last` creation, aware UTC.
    `without_reference` have no `processor_ref`, those left out that a gift card paid in full.
    """

    status: PaymentStatus | None
    raw: str
    failure_code: str | None
    currency: str
    count: int
    minor: int
    inexact: int
    first: datetime
    last: datetime
    without_reference: int = 0


@dataclass(frozen=True)
class Outcomes:
    """What became of the payments created in a window, most frequent first; `as_of` is the
    database's clock."""

    rows: tuple[Outcome, ...]
    as_of: datetime

    @property
    def unknown(self) -> tuple[Outcome, ...]:
        """Rows whose status is in no list of the mapping."""
        return tuple(row for row in self.rows if row.status is None)


@dataclass(frozen=True)
class _OpenRow:
    currency: str
    count: int
    minor: Decimal
    inexact: int
    without_reference: int
    hours: int
    days: int
    oldest: datetime


@dataclass(frozen=True)
class _SampleRow:
    id: str
    processor_ref: str | None
    status: str
    currency: str
    minor: Decimal | None
    created_at: datetime


@dataclass(frozen=True)
class _OutcomeRow:
    status: str | None
    failure_code: str | None
    currency: str
    count: int
    minor: Decimal
    inexact: int
    without_reference: int
    first: datetime
    last: datetime


class LedgerReader:
    """Reads one mapped table. The mapping is held against the catalog at the first question."""

    def __init__(self, source: PostgresSource, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger
        self._words = {
            self._spelled(raw): PaymentStatus(word)
            for word, raws in ledger.statuses.items()
            for raw in raws
        }

    def words(self, statuses: Collection[PaymentStatus]) -> list[str]:
        """The table's own words for these states, in lower case where they are compared so."""
        return [raw for raw, word in self._words.items() if word in statuses]

    def _spelled(self, raw: str) -> str:
        """A stored status as it is compared: as it is, or case-blind."""
        return raw if self._ledger.match_case else raw.lower()

    def open_payments(
        self,
        *,
        older_than: datetime,
        newer_than: datetime | None,
        statuses: frozenset[PaymentStatus],
        sample: int,
    ) -> OpenPayments:
        """Payments in `statuses` created before `older_than` (and at or after `newer_than`), with
        the `sample` oldest ones. Raises SourceError, SCHEMA when the mapping does not fit."""
        wanted = self.words(statuses)
        bounds = {"until": older_than, "since": newer_than}
        told = self.ask("ledger_open", _OpenRow, bounds, wanted)
        rows = told.rows
        oldest: tuple[OpenPayment, ...] = ()
        if rows and sample > 0:
            found = self.ask("ledger_sample", _SampleRow, bounds, wanted, sample=sample).rows
            oldest = tuple(map(_open_payment, found))
        money = [MoneyAtRisk(row.currency, int(row.minor), row.count) for row in rows]
        return OpenPayments(
            count=sum(row.count for row in rows),
            oldest=min((utc(row.oldest) for row in rows), default=None),
            money=tuple(money),
            inexact=sum(row.inexact for row in rows),
            without_reference=(
                sum(row.without_reference for row in rows)
                if self._ledger.columns.processor_ref
                else None
            ),
            sample=oldest,
            as_of=told.now,
            hours=sum(row.hours for row in rows),
            days=sum(row.days for row in rows),
        )

    def outcomes(self, window: Window) -> Outcomes:
        """The payments created in `window`, counted by status, failure code and currency. Raises
        SourceError as `open_payments` does."""
        bounds: dict[str, datetime | None] = {"since": window.since, "until": window.until}
        told = self.ask("ledger_outcomes", _OutcomeRow, bounds, None, most=MOST_KINDS + 1)
        refuse_too_many(self._ledger, len(told.rows), MOST_KINDS)
        return Outcomes(
            tuple(
                Outcome(
                    status=(
                        self._words.get(self._spelled(row.status))
                        if row.status is not None
                        else None
                    ),
                    raw=row.status if row.status is not None else "NULL",
                    failure_code=row.failure_code,
                    currency=row.currency,
                    count=row.count,
                    minor=int(row.minor),
                    inexact=row.inexact,
                    first=utc(row.first),
                    last=utc(row.last),
                    without_reference=row.without_reference,
                )
                for row in told.rows
            ),
            as_of=told.now,
        )

    def ask(
        self,
        name: str,
        into: type[T],
        bounds: Mapping[str, datetime | None],
        statuses: list[str] | None,
        **params: Any,
    ) -> Told[T]:
        """`sql/NAME.sql` over the rows created from `since` to before `until`, where given, and in
        these `words` of states (None: in any). Raises SourceError."""
        from psycopg import sql

        from payops.sources.postgres import query

        table, columns = self._source.table(self._ledger), self._ledger.columns
        conditions = [
            table.created(">=" if edge == "since" else "<", edge)
            for edge, moment in bounds.items()
            if moment is not None
        ]
        if statuses is not None:
            condition, params["statuses"] = table.has_status(statuses)
            conditions.append(condition)
        currency = table.column(columns.currency)
        payments = query(
            "ledger_rows",
            {
                "table": table.name,
                "id": table.column(columns.id),
                "processor_ref": table.column(columns.processor_ref),
                "status": table.column(columns.status),
                "failure_code": table.column(columns.failure_code),
                "currency": currency,
                "created_at": table.created_at,
                "completed_at": table.moment(columns.completed_at),
                "customer": table.column(columns.customer_id),
                "order_id": table.column(columns.order_id),
                "paid_otherwise": table.paid_otherwise,
                "amount": table.amount,
                "in_minor_units": table.in_minor_units,
                "matches": sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true"),
            },
        )
        return self._source.told(
            name,
            into,
            identifiers={"payments": payments},
            currency=self._ledger.currency,
            zone=self._ledger.timezone,
            zero_decimal=sorted(ZERO_DECIMAL),
            three_decimal=sorted(THREE_DECIMAL),
            **{edge: moment for edge, moment in bounds.items() if moment is not None},
            **params,
        )


def refuse_too_many(
    ledger: Ledger, found: int, most: int, kinds: str = "statuses, failure codes and currencies"
) -> None:
    """Raises SourceError TOO_MUCH where the rows of a window have more than `most` different kinds:
    no program's words are so many, and bringing them all here takes longer than there is time."""
    if found > most:
        raise SourceError(
            "postgres",
            Failure.TOO_MUCH,
            f'table "{ledger.table}": more than {most:,} different {kinds}',
            hint="is status, failure_code or currency mapped to a column of free text? Or does "
            "somebody flood it?",
        )


def _open_payment(row: _SampleRow) -> OpenPayment:
    amount = None if row.minor is None else Money(row.currency, int(row.minor))
    return OpenPayment(row.id, row.processor_ref, row.status, amount, utc(row.created_at))


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
