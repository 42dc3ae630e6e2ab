"""The configuration as payops uses it: frozen, typed, every key explained.

The descriptions here are the JSON Schema's (`payops config schema`). Unknown keys are refused.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from payops.domain.secret import Secret


class Duration(float):
    """A span of time in seconds; written `30s`, `10m`, `24h` or a number of seconds."""


def _span(seconds: float) -> Any:
    """A default; through a factory, since msgspec's schema cannot write a Duration."""
    return field(default_factory=partial(Duration, seconds))


# Stripe allows 100 requests/s live and 25/s in a sandbox for the whole account; a diagnosis tool
# must never starve live payments (STRIPE.md, 'Limits'), so it takes less than half of the latter.
DEFAULT_REQUESTS_PER_SECOND = 10.0


class _Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the configuration file."""


class StripeSettings(_Section):
    """How to reach Stripe."""

    secret_key: Annotated[
        Secret, Meta(description="Secret or restricted key: sk_live_…, rk_live_…")
    ]
    publishable_key: Annotated[str, Meta(description="Publishable key of the same account")] = ""
    webhook_secrets: Annotated[
        tuple[Secret, ...], Meta(description="Signing secrets of the webhook endpoints: whsec_…")
    ] = ()
    api_base: Annotated[str, Meta(description="Base URL of the API")] = "https://api.stripe.com"
    status_url: Annotated[
        str, Meta(description="Status page, JSON; empty switches the check off")
    ] = "https://status.stripe.com/current"
    account: Annotated[str, Meta(description="Expected account id, acct_…")] = ""
    api_version: Annotated[
        str, Meta(description="Pinned Stripe-Version; empty is the account's own default")
    ] = ""
    max_requests_per_second: Annotated[
        float, Meta(gt=0, le=100, description="Budget of payops; Stripe allows 100 live, 25 test")
    ] = DEFAULT_REQUESTS_PER_SECOND
    timeout: Annotated[Duration, Meta(description="Longest wait for one answer")] = _span(5)


class PostgresSettings(_Section):
    """How to reach the database. `dsn` may be a replica: its lag is shown."""

    dsn: Annotated[Secret, Meta(description="libpq URL or key=value string; a read-only role is best")]
    write_dsn: Annotated[
        Secret | None, Meta(description="Used by `payops apply` alone; never for reading")
    ] = None
    statement_timeout: Annotated[Duration, Meta(description="Server side")] = _span(2)
    lock_timeout: Annotated[Duration, Meta(description="Server side")] = _span(0.2)
    connect_timeout: Annotated[Duration, Meta(description="For each address")] = _span(3)


class RedisSettings(_Section):
    """How to reach Redis."""

    url: Annotated[Secret, Meta(description="redis://, rediss:// (TLS) or unix://; user:password ACLs")]
    timeout: Annotated[Duration, Meta(description="Connect, and each answer")] = _span(2)
    ca_file: Annotated[str, Meta(description="CA bundle for rediss:// with a private CA")] = ""


PaymentWord = Literal[
    "pending",
    "processing",
    "requires_action",
    "succeeded",
    "failed",
    "canceled",
    "refunded",
    "partially_refunded",
    "disputed",
]


class LedgerColumns(_Section):
    """Names of the columns, as the database spells them. Leave out what the table lacks."""

    id: Annotated[str, Meta(description="Primary key: uuid, bigint or text")]
    status: Annotated[str, Meta(description="State; text or enum")]
    amount: Annotated[str, Meta(description="Amount; see amount_unit")]
    created_at: Annotated[str, Meta(description="When the row was made")]
    processor_ref: Annotated[str, Meta(description="PaymentIntent id (pi_…), or re_… of a refund")] = ""
    charge_ref: Annotated[str, Meta(description="Charge id (ch_…)")] = ""
    session_ref: Annotated[str, Meta(description="Checkout Session id (cs_…)")] = ""
    currency: Annotated[str, Meta(description="Currency code column")] = ""
    updated_at: Annotated[str, Meta(description="Last change")] = ""
    completed_at: Annotated[str, Meta(description="When it succeeded")] = ""
    idempotency_key: Annotated[str, Meta(description="Idempotency-Key sent to Stripe")] = ""
    order_id: Annotated[str, Meta(description="What was paid for")] = ""
    customer_id: Annotated[str, Meta(description="Who paid")] = ""
    customer_email: Annotated[str, Meta(description="Contact; read only on request")] = ""
    failure_code: Annotated[str, Meta(description="Why it failed: Stripe's code, decline code or own word")] = ""
    payment_id: Annotated[str, Meta(description="Of a refund: the payment's key")] = ""


class Ledger(_Section):
    """A table of yours that records payments, refunds, or an outside processor's transactions."""

    table: Annotated[str, Meta(description="Table, or schema.table; exactly as spelled in the catalog")]
    columns: LedgerColumns
    statuses: Annotated[
        dict[PaymentWord, tuple[str, ...]],
        Meta(description="payops' word: the table's own values. A value in none is named, never guessed"),
    ]
    kind: Literal["payments", "refunds", "external"] = "payments"
    amount_unit: Literal["minor", "major"] = "minor"
    currency: Annotated[str, Meta(description="Used where no currency column is, or it is NULL")] = "usd"
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"
    issuer_declines: Annotated[
        tuple[str, ...],
        Meta(description="Values of failure_code, beside Stripe's own, that mean the bank said no"),
    ] = ()


class EventLogColumns(_Section):
    """Columns of the table of received webhook events."""

    event_id: Annotated[str, Meta(description="Stripe's evt_…")]
    received_at: Annotated[str, Meta(description="When it arrived")]
    type: Annotated[str, Meta(description="payment_intent.succeeded, …")] = ""
    processed: Annotated[str, Meta(description="Boolean, where there is one")] = ""
    status: Annotated[str, Meta(description="State, where there is one")] = ""
    processed_at: Annotated[str, Meta(description="When its handling ended; NULL is not yet")] = ""
    attempts: Annotated[str, Meta(description="How often it was tried")] = ""
    error: Annotated[str, Meta(description="Why it failed")] = ""


class EventLog(_Section):
    """Your table of received webhook events."""

    table: str
    columns: EventLogColumns
    timezone: str = "UTC"


class WebhookEndpoint(_Section):
    """One endpoint of yours that Stripe calls."""

    url: str
    name: str = ""


class WebhookSettings(_Section):
    """Where Stripe delivers."""

    endpoints: tuple[WebhookEndpoint, ...] = ()


class BreakerKeys(_Section):
    """Redis keys of a breaker kept in separate keys."""

    state: str
    failures: str = ""
    opened_at: str = ""
    last_failure: str = ""


class Breaker(_Section):
    """A circuit breaker in Redis."""

    name: str
    keys: BreakerKeys
    layout: Literal["split"] = "split"
    guards: Annotated[str, Meta(description="The dependency behind it, for the next command")] = "stripe"
    failure_threshold: Annotated[int, Meta(ge=1, description="Failures that open it")] = 5
    window: Annotated[Duration, Meta(description="Failures are counted over")] = _span(60)
    recovery: Annotated[Duration, Meta(description="Half-open after")] = _span(30)


class CircuitSettings(_Section):
    """The breakers to read."""

    breakers: tuple[Breaker, ...] = ()


class AppEndpoint(_Section):
    """An HTTP address of the application and what it should answer."""

    url: str
    name: str = ""
    expect: Annotated[tuple[int, ...], Meta(description="Good HTTP status codes")] = (200,)
    timeout: Duration = _span(5)


class AppSettings(_Section):
    """The application itself."""

    endpoints: tuple[AppEndpoint, ...] = ()


ThresholdValue = float | int | str | None


class ThresholdOverride(_Section):
    """New limits for one measured value of one check."""

    warn: ThresholdValue | UnsetType = UNSET
    crit: ThresholdValue | UnsetType = UNSET


class EscalationLevel(_Section):
    """Whom to call, and after how long."""

    level: str
    contact: str
    after: Duration = _span(0)


class Settings(_Section):
    """payops' configuration: one YAML file, on top of an optional preset."""

    preset: Annotated[str, Meta(description="Start from this built-in mapping; your keys override it")] = ""
    environment: Annotated[str, Meta(description="production must have live keys")] = "production"
    unreachable: Annotated[
        Literal["CRIT", "UNKNOWN", "WARN"],
        Meta(description="Status of a check whose dependency does not answer"),
    ] = "CRIT"
    stripe: StripeSettings | None = None
    postgres: PostgresSettings | None = None
    redis: RedisSettings | None = None
    ledgers: dict[str, Ledger] = {}
    event_logs: dict[str, EventLog] = {}
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    circuit: CircuitSettings = field(default_factory=CircuitSettings)
    app: AppSettings = field(default_factory=AppSettings)
    thresholds: Annotated[
        dict[str, dict[str, ThresholdOverride]],
        Meta(description="check id: {measured value: {warn, crit}}; see `payops health --list`"),
    ] = {}
    escalation: tuple[EscalationLevel, ...] = ()

    @property
    def payments(self) -> Ledger | None:
        """The first ledger of payments, the one that health looks at; None when none is mapped."""
        return next((ledger for ledger in self.ledgers.values() if ledger.kind == "payments"), None)
