"""`event_logs:` and `webhooks:`: the way of an event from Stripe to a row."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from payops.config.section import Duration, Section, named, span, zone
from payops.domain.secret import Secret


class EventLogColumns(Section, frozen=True):
    """Columns of the table of received webhook events."""

    event_id: Annotated[str, Meta(description="Stripe's evt_…")]
    received_at: Annotated[str, Meta(description="When it arrived")]
    type: Annotated[str, Meta(description="payment_intent.succeeded, …")] = ""
    processed: Annotated[str, Meta(description="Boolean, where there is one")] = ""
    status: Annotated[str, Meta(description="State, where there is one")] = ""
    processed_at: Annotated[str, Meta(description="When its handling ended; NULL is not yet")] = ""
    attempts: Annotated[str, Meta(description="How often it was tried")] = ""
    error: Annotated[str, Meta(description="Why it failed")] = ""
    payload: Annotated[
        str, Meta(description="The raw body, as text: read for one row, to verify its signature")
    ] = ""
    signature: Annotated[str, Meta(description="The header Stripe-Signature as it came")] = ""


class EventLog(Section, frozen=True):
    """Your table of received webhook events."""

    table: Annotated[
        str, Meta(description="Table, or schema.table; exactly as spelled in the catalog")
    ]
    columns: EventLogColumns
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        named(self.table, "table")
        named(self.columns.event_id, "columns.event_id")
        named(self.columns.received_at, "columns.received_at")
        zone(self.timezone)


class WebhookEndpoint(Section, frozen=True):
    """One endpoint of yours that Stripe calls."""

    url: Annotated[str, Meta(description="As registered with Stripe")]
    name: Annotated[str, Meta(description="How reports call it; empty is the URL")] = ""
    secret: Annotated[
        Secret | None,
        Meta(description="Its own signing secret, whsec_…; else any of stripe.webhook_secrets"),
    ] = None


class DedupeKeys(Section, frozen=True):
    """Redis keys by which the application knows an event that it has had."""

    key: Annotated[str, Meta(description="With {event} for Stripe's evt_…")]
    marked: Annotated[
        Literal["before", "after"],
        Meta(
            description="before: set before the event is handled, so one that failed counts as "
            "seen, and a replay must clear its key first"
        ),
    ] = "after"
    ttl: Annotated[
        Duration, Meta(description="A key lives for so long; of older events it tells nothing")
    ] = span(86_400)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.key.count("{event}") != 1:
            raise ValueError(".key: has {event} once, where Stripe's evt_… stands")


class WebhookQueue(Section, frozen=True):
    """A Redis list of work that events make: a replay waits while it is too long."""

    key: Annotated[str, Meta(description="The list: celery, bull:webhooks:wait, …")]
    most: Annotated[int, Meta(ge=1, description="Longer than this, and a replay waits")] = 1000


class WebhookSettings(Section, frozen=True):
    """Where Stripe delivers, and what becomes of it there."""

    endpoints: Annotated[
        tuple[WebhookEndpoint, ...], Meta(description="Every address that Stripe delivers to")
    ] = ()
    needs: Annotated[
        tuple[str, ...],
        Meta(description="Types of events that the ledger is kept by: payment_intent.succeeded, …"),
    ] = ()
    unsigned: Annotated[
        tuple[int, ...], Meta(description="Good HTTP answers to a POST without a signature")
    ] = (400,)
    probe_event: Annotated[
        str, Meta(description="Type of the signed probe: one that moves nothing here")
    ] = "product.updated"
    dedupe: Annotated[DedupeKeys | None, Meta(description="Redis keys of events that were had")] = (
        None
    )
    queue: Annotated[WebhookQueue | None, Meta(description="Work that events make")] = None
