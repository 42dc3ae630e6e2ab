"""`trace:`: what else is known of one payment, and how money is routed."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from payops.config.section import Duration, Section, named, span, zone


class IdempotencyRedis(Section, frozen=True):
    """Redis keys that an application keeps by its Idempotency-Key."""

    key: Annotated[str, Meta(description="With {key} for the Idempotency-Key")]
    ttl: Annotated[Duration, Meta(description="A key lives for so long")] = span(86_400)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.key.count("{key}") != 1:
            raise ValueError(".key: has {key} once, where the Idempotency-Key stands")


class AuditColumns(Section, frozen=True):
    """Columns of an audit table. Leave out what the table lacks."""

    row: Annotated[str, Meta(description="Key of the row that changed")]
    at: Annotated[str, Meta(description="When it changed")]
    action: Annotated[str, Meta(description="create, update, …")] = ""
    changes: Annotated[
        str, Meta(description="JSON: {column: {old, new}}, or {new: {column: value}} of a new row")
    ] = ""
    column: Annotated[str, Meta(description="Which column, where each change has a row")] = ""
    old: Annotated[str, Meta(description="Its value before, likewise")] = ""
    new: Annotated[str, Meta(description="Its value after, likewise")] = ""


class Audit(Section, frozen=True):
    """Your table of changes to a ledger's rows."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: AuditColumns
    ledger: Annotated[str, Meta(description="Whose rows: a name under ledgers")] = "payments"
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"
    shown: Annotated[
        tuple[str, ...], Meta(description="Columns whose values are shown; others are only named")
    ] = ("status", "amount")

    def __post_init__(self) -> None:
        super().__post_init__()
        named(self.table, "table")
        named(self.columns.row, "columns.row")
        named(self.columns.at, "columns.at")
        zone(self.timezone)


class RoutedSaleColumns(Section, frozen=True):
    """What is sold, by whom, for how much."""

    id: Annotated[str, Meta(description="Primary key: what a payment's order_id holds")]
    owner: Annotated[str, Meta(description="Who sells: the owner's key")]
    price: Annotated[str, Meta(description="Price in major units")] = ""
    status: Annotated[str, Meta(description="State")] = ""
    starts_at: Annotated[str, Meta(description="When it takes place")] = ""
    created_at: Annotated[str, Meta(description="When it was made")] = ""


class RoutedSales(Section, frozen=True):
    """Your table of what is sold: appointments, orders."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: RoutedSaleColumns
    name: Annotated[str, Meta(description="What one is called: appointment")] = "sale"


class OwnerColumns(Section, frozen=True):
    """How an owner is paid, by their own row."""

    id: Annotated[str, Meta(description="Primary key")]
    mode: Annotated[str, Meta(description="centralized, decentralized or hybrid")]
    commission_rate: Annotated[str, Meta(description="The platform's share, a fraction")] = ""
    account: Annotated[str, Meta(description="Account at Stripe, acct_…")] = ""


class Owners(Section, frozen=True):
    """Your table of those who are paid: barbers, sellers."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: OwnerColumns
    name: Annotated[str, Meta(description="What one is called: barber")] = "owner"


class RoutingConfigColumns(Section, frozen=True):
    """How an owner wants to be paid."""

    owner: Annotated[str, Meta(description="The owner's key")]
    mode: Annotated[str, Meta(description="centralized, decentralized or hybrid")]
    primary: Annotated[str, Meta(description="Processor to take first")] = ""
    fallback: Annotated[str, Meta(description="Whether the platform takes over: boolean")] = ""
    updated_at: Annotated[str, Meta(description="Last change")] = ""


class RoutingConfigs(Section, frozen=True):
    """Your table of owners' own payment configurations."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: RoutingConfigColumns


class RoutedConnectionColumns(Section, frozen=True):
    """Connections to outside processors. Credentials have no place here: they are never read."""

    id: Annotated[str, Meta(description="Primary key")]
    owner: Annotated[str, Meta(description="The owner's key")]
    processor: Annotated[str, Meta(description="square, paypal, …")]
    status: Annotated[str, Meta(description="connected, error, …")]
    account: Annotated[str, Meta(description="Account there")] = ""
    payments: Annotated[str, Meta(description="Whether it takes payments: boolean")] = ""
    refunds: Annotated[str, Meta(description="Whether it refunds: boolean")] = ""
    last_sync: Annotated[str, Meta(description="When it was last read")] = ""
    last_transaction: Annotated[str, Meta(description="When it last took money")] = ""
    webhook_url: Annotated[str, Meta(description="Where the processor posts")] = ""
    errors: Annotated[str, Meta(description="How many errors in a row")] = ""
    last_error: Annotated[str, Meta(description="The last of them")] = ""


class RoutedConnections(Section, frozen=True):
    """Your table of connections to outside processors."""

    table: Annotated[str, Meta(description="Table, or schema.table")]
    columns: RoutedConnectionColumns
    connected: Annotated[
        tuple[str, ...], Meta(description="States in which one takes money; case-blind")
    ] = ("connected",)


class Routing(Section, frozen=True):
    """Who takes a payment: the platform, or a processor of the owner's own."""

    sales: RoutedSales
    owners: Owners
    configs: RoutingConfigs | None = None
    connections: RoutedConnections | None = None
    platform_below: Annotated[
        str, Meta(description="Hybrid: a smaller amount goes to the platform, major units")
    ] = "50.00"
    outside_hours: Annotated[
        tuple[int, int], Meta(description="Hybrid: hours of the day in which the owner's own takes")
    ] = (9, 17)
    timezone: Annotated[str, Meta(description="Zone of those hours: that of the servers")] = "UTC"
    naive: Annotated[str, Meta(description="Zone of timestamps without one")] = "UTC"
    decides: Annotated[
        Literal["price", "amount"], Meta(description="Whether the price or what was paid decides")
    ] = "amount"

    def __post_init__(self) -> None:
        super().__post_init__()
        zone(self.timezone)
        from decimal import Decimal, InvalidOperation

        try:
            Decimal(self.platform_below)
        except InvalidOperation:
            raise ValueError(f".platform_below: {self.platform_below!r} is no amount") from None
        first, last = self.outside_hours
        if not 0 <= first <= last <= 24:
            raise ValueError(".outside_hours: two hours of a day, the first not after the last")


class TraceSettings(Section, frozen=True):
    """What else is known of one payment."""

    event_within: Annotated[
        Duration, Meta(description="An event should have arrived so long after it was made")
    ] = span(30)
    idempotency: Annotated[
        IdempotencyRedis | None, Meta(description="Redis keys by Idempotency-Key")
    ] = None
    audits: Annotated[
        dict[str, Audit], Meta(description="name: table of changes to a ledger's rows")
    ] = {}
    routing: Annotated[
        Routing | None, Meta(description="Who takes a payment: the platform or the owner's own")
    ] = None
