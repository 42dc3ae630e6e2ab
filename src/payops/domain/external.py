"""Rows about outside processors as the database gave them: numbers as their exact text.

A number is None where it is NULL or not mapped; a float's text is its shortest (`19.99`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


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
