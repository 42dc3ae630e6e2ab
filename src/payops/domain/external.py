"""Rows about outside processors as the database gave them: numbers as their exact text.

A number is None where it is NULL or not mapped; a float's text is its shortest (`19.99`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from payops.domain.money import MoneyAtRisk


@dataclass(frozen=True)
class ConnectionSum:
    """One connection with its transactions of one status and currency; `count` 0 without any.

    `known` is False where only the transactions name it. `total_*` are what the connection itself
    records. Sums are minor units of `sum_currency`, of the rows whose amount is readable; the
    others are `inexact`. Of `broken` rows the net is not amount less fee (nor less refund).
    """

    connection: str | None
    known: bool
    owner: str | None
    processor: str | None
    state: str | None
    currency: str | None
    total_transactions: str | None
    total_volume: str | None
    status: str | None
    sum_currency: str
    count: int
    minor: Decimal
    refunded: Decimal
    fee: Decimal | None
    net: Decimal | None
    inexact: int
    broken: int


@dataclass(frozen=True)
class Sale:
    """An outside transaction that counts as paid, in the ledger's amount_unit."""

    id: str
    connection: str | None
    reference: str | None
    status: str | None
    currency: str
    amount: str | None
    fee: str | None
    rate: str | None
    commission: str | None
    refunded: str | None
    collected: bool | None


@dataclass(frozen=True)
class SaleCounts:
    """How many paid transactions there are; `refund_explains` so many a commission that is not that
    of the whole amount. `without_rate` have none, with the first of them."""

    paid: int
    refund_explains: int
    without_rate: int
    first_without_rate: str | None


@dataclass(frozen=True)
class Collection:
    """What is collected, with the transaction that it names (`sale_*`; `found` says if there is
    one) and the owners of both connections. `times` is how often that transaction's commission was
    collected."""

    id: str
    transaction: str | None
    connection: str | None
    connection_found: bool
    connection_owner: str | None
    owner: str | None
    type: str | None
    status: str | None
    currency: str
    amount: str | None
    is_commission: bool
    is_collected: bool
    is_waived: bool
    times: int
    found: bool
    sale_connection: str | None
    sale_owner: str | None
    sale_status: str | None
    sale_currency: str | None
    sale_amount: str | None
    sale_rate: str | None
    sale_commission: str | None
    sale_refunded: str | None


@dataclass(frozen=True)
class CollectionCounts:
    """How many collections there are, and how many of a commission name no transaction at all."""

    collections: int
    commissions: int
    without_transaction: int


@dataclass(frozen=True)
class OutsideSum:
    """What one outside processor took in a window in one currency; minor units.

    `count` transactions took money and have a readable amount, `inexact` more have none and are in
    no sum. `uncollected` is the part of `commission` that is not marked as collected.
    """

    processor: str | None
    currency: str
    count: int
    inexact: int
    minor: int
    fee: int
    commission: int
    uncollected: int


@dataclass(frozen=True)
class Connection:
    """A connection to an outside processor as it is now; times are aware UTC.

    `status` and `processor` are in lower case. `has_secret` says
    whether a signing secret is stored; None, as everything else, where nothing is mapped.
    """

    id: str
    owner: str | None
    processor: str | None
    status: str | None
    created_at: datetime | None
    last_sync: datetime | None
    last_transaction: datetime | None
    expires_at: datetime | None
    webhook_url: str | None
    has_secret: bool | None
    errors: int | None
    last_error: str | None

    @property
    def name(self) -> str:
        """`square connection 2`."""
        return f"{self.processor or 'outside'} connection {self.id}"


@dataclass(frozen=True)
class Owed:
    """Collections of one status: how many, how much, and the first of them; `inexact` have no
    readable amount and are in no sum."""

    status: str
    count: int
    money: tuple[MoneyAtRisk, ...]
    inexact: int
    oldest: datetime | None


@dataclass(frozen=True)
class OwedRow:
    """One collection. `minor` is None where its amount is NULL or not whole minor units."""

    id: str
    owner: str | None
    connection: str | None
    transaction: str | None
    type: str | None
    status: str
    currency: str
    minor: int | None
    at: datetime | None
    reason: str | None
    retries: int | None


@dataclass(frozen=True)
class OwnerPaid:
    """How an owner is paid, by their own row and by their configuration; amounts as exact text in
    major units. `has_config` says whether there is a configuration, `connected` how many of their
    connections work. None where nothing is mapped or the value is NULL."""

    owner: str
    mode: str | None
    config_mode: str | None
    has_config: bool
    primary: str | None
    connected: int | None
    primary_connected: bool | None
    min_external: str | None
    max_platform: str | None
    minimum_collection: str | None
    maximum_outstanding: str | None


@dataclass(frozen=True)
class ConnectionSales:
    """What one connection took in a window in one currency, minor units, as in OutsideSum."""

    connection: str | None
    processor: str | None
    currency: str
    count: int
    inexact: int
    minor: int
    fee: int
    commission: int
    uncollected: int


@dataclass(frozen=True)
class ConnectAccount:
    """An owner's account at Stripe Connect, as the database has it."""

    owner: str
    account: str
