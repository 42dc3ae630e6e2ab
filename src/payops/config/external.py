"""Outside processors beside Stripe: whose connections, what they took, what is owed for it.

The transactions themselves are a ledger of kind `external`; here stands what no other ledger has.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of `external:`; what a query cannot do without has a name."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name in _REQUIRED and isinstance(value, str) and not value.strip():
                raise ValueError(f".{name}: is empty")


_REQUIRED = frozenset({"table", "id", "connection", "transaction"})


class ExternalTransactionColumns(_Part, frozen=True):
    """Columns of the ledger's table that no other ledger has."""

    connection: Annotated[str, Meta(description="Key of the connection it came by")]
    net: Annotated[str, Meta(description="Amount less fee, in amount_unit")] = ""
    commission_rate: Annotated[str, Meta(description="Agreed rate; see rate_unit")] = ""
    commission_amount: Annotated[str, Meta(description="What is owed, in amount_unit")] = ""
    commission_collected: Annotated[str, Meta(description="Whether it was paid: boolean")] = ""


class ExternalTransactions(_Part, frozen=True):
    """What a ledger of kind external says beside amount and status."""

    columns: ExternalTransactionColumns
    ledger: Annotated[
        str, Meta(description="Name under ledgers; empty is the first of kind external")
    ] = ""
    rate_unit: Annotated[
        Literal["percent", "fraction"], Meta(description="percent: 15.0 is 15 %; fraction: 0.15 is")
    ] = "percent"


class ExternalConnectionColumns(_Part, frozen=True):
    """Names of the columns. Credentials have no place here: they are never read."""

    id: Annotated[str, Meta(description="Primary key")]
    owner: Annotated[str, Meta(description="Whose connection: a barber, a seller")] = ""
    processor: Annotated[str, Meta(description="square, paypal, …; text or enum")] = ""
    status: Annotated[str, Meta(description="connected, error, …; text or enum")] = ""
    currency: Annotated[str, Meta(description="Currency of total_volume")] = ""
    total_transactions: Annotated[str, Meta(description="Count of transactions as recorded")] = ""
    total_volume: Annotated[str, Meta(description="Their sum as recorded, in amount_unit")] = ""


class ExternalConnections(_Part, frozen=True):
    """Your table of connections to outside processors."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: ExternalConnectionColumns


class ExternalCollectionColumns(_Part, frozen=True):
    """Names of the columns. Leave out what the table lacks."""

    id: Annotated[str, Meta(description="Primary key")]
    transaction: Annotated[str, Meta(description="Key of the transaction that it is for")]
    connection: Annotated[str, Meta(description="Key of its connection")] = ""
    owner: Annotated[str, Meta(description="Who owes it")] = ""
    amount: Annotated[str, Meta(description="What is collected, in the ledger's amount_unit")] = ""
    currency: Annotated[str, Meta(description="Currency code column")] = ""
    type: Annotated[str, Meta(description="commission, rent, …; empty: all are commissions")] = ""
    status: Annotated[str, Meta(description="pending, collected, …; text or enum")] = ""
    created_at: Annotated[str, Meta(description="When the row was made")] = ""


class ExternalCollections(_Part, frozen=True):
    """Your table of what is collected for transactions."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: ExternalCollectionColumns
    commission_types: Annotated[
        tuple[str, ...], Meta(description="Types that collect a commission; case-blind")
    ] = ("commission",)
    collected: Annotated[
        tuple[str, ...], Meta(description="Statuses in which money has moved; case-blind")
    ] = ("collected",)
    waived: Annotated[
        tuple[str, ...], Meta(description="Statuses in which none ever will; case-blind")
    ] = ("waived",)


class ExternalSettings(_Part, frozen=True):
    """Connections to outside processors, their transactions, and what is collected for them."""

    transactions: ExternalTransactions | None = None
    connections: ExternalConnections | None = None
    collections: ExternalCollections | None = None
