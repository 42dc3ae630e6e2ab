"""Outside processors beside Stripe: whose connections, what they took, what is owed for it.

The transactions themselves are a ledger of kind `external`; here stands what no other ledger has.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from payops.config.section import zone


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
    created_at: Annotated[str, Meta(description="When the row was made")] = ""
    last_sync: Annotated[str, Meta(description="When it was last asked for transactions")] = ""
    last_transaction: Annotated[str, Meta(description="When it last brought one")] = ""
    expires_at: Annotated[str, Meta(description="When its token ends, where that is a column")] = ""
    webhook_url: Annotated[str, Meta(description="Where the processor posts to")] = ""
    webhook_secret: Annotated[
        str, Meta(description="Its signing secret: whether it is NULL is asked, never what it is")
    ] = ""
    errors: Annotated[str, Meta(description="How often it failed in a row")] = ""
    last_error: Annotated[str, Meta(description="What it said then")] = ""


class ExternalConnections(_Part, frozen=True):
    """Your table of connections to outside processors."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: ExternalConnectionColumns
    connected: Annotated[
        tuple[str, ...], Meta(description="Statuses that work; case-blind, as all here")
    ] = ("connected",)
    pending: Annotated[tuple[str, ...], Meta(description="Not connected yet")] = ("pending",)
    expired: Annotated[tuple[str, ...], Meta(description="Need new credentials")] = ("expired",)
    retired: Annotated[tuple[str, ...], Meta(description="Given up on purpose")] = ("disconnected",)
    dead_urls: Annotated[
        tuple[str, ...], Meta(description="Parts of webhook_url that lead nowhere")
    ] = ()


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
    failed_at: Annotated[str, Meta(description="When it failed")] = ""
    reason: Annotated[str, Meta(description="Why it failed")] = ""
    retries: Annotated[str, Meta(description="How often it was tried again")] = ""


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
    processing: Annotated[
        tuple[str, ...], Meta(description="Statuses that soon have to end; case-blind")
    ] = ("processing",)
    failed: Annotated[tuple[str, ...], Meta(description="Statuses of a failure; case-blind")] = (
        "failed",
    )


class ExternalConfigColumns(_Part, frozen=True):
    """How an owner wants to be paid. Leave out what the table lacks."""

    owner: Annotated[str, Meta(description="The owner's key")]
    mode: Annotated[str, Meta(description="centralized, hybrid, …; text or enum")] = ""
    primary: Annotated[str, Meta(description="Processor to take first")] = ""
    min_external: Annotated[
        str, Meta(description="Least amount by an outside processor, major units")
    ] = ""
    max_platform: Annotated[
        str, Meta(description="Largest amount by the platform, major units")
    ] = ""
    minimum_collection: Annotated[
        str, Meta(description="Less than this is not collected, major units")
    ] = ""
    maximum_outstanding: Annotated[
        str, Meta(description="More than this may not be owed, major units")
    ] = ""


class ExternalConfigs(_Part, frozen=True):
    """Your table of how owners are paid."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: ExternalConfigColumns


class ExternalOwnerColumns(_Part, frozen=True):
    """Those who are paid, as their own row says."""

    id: Annotated[str, Meta(description="Primary key")]
    mode: Annotated[str, Meta(description="How they are paid: centralized, hybrid, …")]
    account: Annotated[
        str,
        Meta(description="Their account at Stripe Connect, acct_…, where the platform pays them"),
    ] = ""


class ExternalOwners(_Part, frozen=True):
    """Your table of those who are paid: barbers, sellers."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: ExternalOwnerColumns


class ExternalSettings(_Part, frozen=True):
    """Connections to outside processors, their transactions, and what is collected for them."""

    transactions: ExternalTransactions | None = None
    connections: ExternalConnections | None = None
    collections: ExternalCollections | None = None
    configs: ExternalConfigs | None = None
    owners: ExternalOwners | None = None
    outside_modes: Annotated[
        tuple[str, ...], Meta(description="Modes in which outside processors take payments")
    ] = ("hybrid", "decentralized")
    only_outside: Annotated[
        tuple[str, ...], Meta(description="Modes in which nobody else takes them")
    ] = ("decentralized",)
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        zone(self.timezone)
