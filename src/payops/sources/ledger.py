"""A mapped table of payments, in payops' words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.money import Money, MoneyAtRisk
from payops.domain.payment import PaymentStatus

if TYPE_CHECKING:
    from payops.domain.window import Window


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
    database's clock.
    """

    count: int
    oldest: datetime | None
    money: tuple[MoneyAtRisk, ...]
    inexact: int
    without_reference: int | None
    sample: tuple[OpenPayment, ...]
    as_of: datetime


@dataclass(frozen=True)
class Outcome:
    """Rows of one status, failure code and currency.

    `status` is None for a value that the mapping does not know (`raw` is it). `failure_code` is
    None where it is NULL or the table has no such column. `minor` sums the amounts, leaving out
    `inexact` rows as in `OpenPayments`. `first` and `last` creation, aware UTC.
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


class LedgerReader:
    """Reads one mapped table."""

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
        raise NotImplementedError

    def outcomes(self, window: Window) -> Outcomes:
        """The payments created in `window`, counted by status, failure code and currency."""
        raise NotImplementedError
