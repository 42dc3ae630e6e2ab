"""The configuration as payops uses it: frozen, typed, every key explained.

The descriptions here are the JSON Schema's (`payops config schema`). Unknown keys are refused.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from payops.config.external import ExternalSettings
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
    """A mapping of the configuration file.

    Validation of one's own raises ValueError(".key: what is wrong"), the key below the section.
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            # To Postgres 0 is no limit at all, to the others one that nothing meets.
            if name.endswith("timeout") and getattr(self, name) <= 0:
                raise ValueError(f".{name}: must be longer than nothing")


def _named(name: str, key: str) -> None:
    """What a query cannot do without has a name."""
    if not name.strip():
        raise ValueError(f".{key}: is empty")


def _zone(name: str) -> None:
    """An IANA zone, by this machine's database of them; one without a database cannot tell."""
    if name.upper() == "UTC":
        return
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
        if known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f".timezone: there is no time zone {name!r}{meant}") from None


_LIVE = re.compile(r"(?:[a-z]+_)+live_")


def _in_clear(url: str) -> bool:
    """Whether what is sent there can be read on the way: http, but not to this machine."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname == "localhost":
            return False
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:  # a name
        return url[:5].lower() == "http:"


class StripeSettings(_Section, frozen=True):
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

    def __post_init__(self) -> None:
        super().__post_init__()
        key = self.secret_key.reveal()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError(
                ".secret_key: holds a space, a line break or another character that no key has: "
                "was it copied whole?"
            )
        if _LIVE.match(key) and _in_clear(self.api_base):
            raise ValueError(
                ".api_base: a live key goes over https only: over http anybody on the way reads it"
            )


class PostgresSettings(_Section, frozen=True):
    """How to reach the database. `dsn` may be a replica: its lag is shown."""

    dsn: Annotated[Secret, Meta(description="libpq URL or key=value; a read-only role is best")]
    write_dsn: Annotated[
        Secret | None, Meta(description="Used by `payops apply` alone; never for reading")
    ] = None
    statement_timeout: Annotated[Duration, Meta(description="Server side")] = _span(2)
    lock_timeout: Annotated[Duration, Meta(description="Server side")] = _span(0.2)
    connect_timeout: Annotated[Duration, Meta(description="For each address")] = _span(3)


class RedisSettings(_Section, frozen=True):
    """How to reach Redis."""

    url: Annotated[
        Secret, Meta(description="redis://, rediss:// (TLS) or unix://; user:password ACLs")
    ]
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


class LedgerColumns(_Section, frozen=True):
    """Names of the columns, as the database spells them. Leave out what the table lacks."""

    id: Annotated[str, Meta(description="Primary key: uuid, bigint or text")]
    status: Annotated[str, Meta(description="State; text or enum")]
    amount: Annotated[str, Meta(description="Amount; see amount_unit")]
    created_at: Annotated[str, Meta(description="When the row was made")]
    processor_ref: Annotated[
        str, Meta(description="PaymentIntent id (pi_…), or re_… of a refund")
    ] = ""
    charge_ref: Annotated[str, Meta(description="Charge id (ch_…)")] = ""
    session_ref: Annotated[str, Meta(description="Checkout Session id (cs_…)")] = ""
    currency: Annotated[str, Meta(description="Currency code column")] = ""
    updated_at: Annotated[str, Meta(description="Last change")] = ""
    completed_at: Annotated[str, Meta(description="When it succeeded")] = ""
    idempotency_key: Annotated[str, Meta(description="Idempotency-Key sent to Stripe")] = ""
    order_id: Annotated[str, Meta(description="What was paid for")] = ""
    customer_id: Annotated[str, Meta(description="Who paid")] = ""
    customer_email: Annotated[str, Meta(description="Contact; read only on request")] = ""
    failure_code: Annotated[
        str, Meta(description="Why it failed: Stripe's code, decline code or own word")
    ] = ""
    payment_id: Annotated[str, Meta(description="Of a refund: the payment's key")] = ""
    deduction: Annotated[
        str, Meta(description="Part of the amount that Stripe never sees: a gift card used")
    ] = ""
    refunded_amount: Annotated[str, Meta(description="Refunded so far, in amount_unit")] = ""
    fee: Annotated[str, Meta(description="Stripe's fee as recorded, in amount_unit")] = ""


class References(_Section, frozen=True):
    """Keys of Stripe's metadata that name a local row."""

    local_id: Annotated[str, Meta(description="On the PaymentIntent: holds the row's key")] = ""
    order_id: Annotated[str, Meta(description="On the PaymentIntent: holds order_id")] = ""
    session_local_id: Annotated[
        str, Meta(description="On the Checkout Session: holds the row's key")
    ] = ""


class FixWhen(_Section, frozen=True):
    """Which discrepancies a fix is for. `local` and `stripe` are payops' and Stripe's words."""

    match_class: Annotated[str, Meta(description="status_mismatch, refund_missing, …")]
    local: Annotated[tuple[PaymentWord, ...], Meta(description="Row's state, payops' word")] = ()
    stripe: Annotated[tuple[str, ...], Meta(description="PaymentIntent's status")] = ()


class Fix(_Section, frozen=True):
    """A discrepancy that may become a change: columns of the table and their new values.

    A value is literal text, null, or one of @now, @created, @succeeded_at, @payment_intent,
    @charge, @refund, @failure_code, @amount, @currency, @local_id, @uuid, from the evidence.
    """

    when: Annotated[FixWhen, Meta(description="Which discrepancies")]
    why: Annotated[str, Meta(description="Shown in the plan, and kept in the journal")]
    set: Annotated[
        dict[str, str | int | bool | None], Meta(description="column: new value, in the row")
    ] = {}
    insert_into: Annotated[str, Meta(description="Ledger that gets a new row instead")] = ""
    risk: Annotated[str, Meta(description="What could go wrong, one line")] = ""


class Ledger(_Section, frozen=True):
    """A table of yours that records payments, refunds, or an outside processor's transactions."""

    table: Annotated[
        str, Meta(description="Table, or schema.table; exactly as spelled in the catalog")
    ]
    columns: LedgerColumns
    statuses: Annotated[
        dict[PaymentWord, tuple[str, ...]],
        Meta(
            description="payops' word: the table's own values; one in no list is named, not guessed"
        ),
    ]
    kind: Annotated[
        Literal["payments", "refunds", "external"],
        Meta(description="What a row is; external: of another processor than Stripe"),
    ] = "payments"
    amount_unit: Annotated[
        Literal["minor", "major"], Meta(description="minor: 1999 is $19.99; major: 19.99 is")
    ] = "minor"
    currency: Annotated[
        str, Meta(description="Used where no currency column is, or it is NULL")
    ] = "usd"
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"
    issuer_declines: Annotated[
        tuple[str, ...],
        Meta(description="Values of failure_code, beside Stripe's own, that mean the bank said no"),
    ] = ()
    match_case: Annotated[bool, Meta(description="false: statuses are compared case-blind")] = True
    references: Annotated[
        References, Meta(description="Keys of Stripe's metadata that name a row")
    ] = field(default_factory=References)
    contact_query: Annotated[
        str, Meta(description="SQL giving (key, contact) for the keys in %(keys)s; on request only")
    ] = ""
    truncated_cents: Annotated[
        bool, Meta(description="Cents are cut by float: one minor unit less is a known quirk")
    ] = False
    quirks: Annotated[
        dict[str, str], Meta(description="Class of discrepancy: what is known of it here")
    ] = {}
    fixes: Annotated[
        tuple[Fix, ...], Meta(description="Which discrepancies may be put right, and how")
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _named(self.table, "table")
        for column in ("id", "status", "amount", "created_at"):
            _named(getattr(self.columns, column), f"columns.{column}")
        _zone(self.timezone)
        owners: dict[str, str] = {}
        for word, values in self.statuses.items():
            for value in values:
                if owners.setdefault(value, word) != word:
                    raise ValueError(
                        f".statuses.{word}: {value!r} stands under {owners[value]} already: "
                        "one value can mean one thing only"
                    )


class EventLogColumns(_Section, frozen=True):
    """Columns of the table of received webhook events."""

    event_id: Annotated[str, Meta(description="Stripe's evt_…")]
    received_at: Annotated[str, Meta(description="When it arrived")]
    type: Annotated[str, Meta(description="payment_intent.succeeded, …")] = ""
    processed: Annotated[str, Meta(description="Boolean, where there is one")] = ""
    status: Annotated[str, Meta(description="State, where there is one")] = ""
    processed_at: Annotated[str, Meta(description="When its handling ended; NULL is not yet")] = ""
    attempts: Annotated[str, Meta(description="How often it was tried")] = ""
    error: Annotated[str, Meta(description="Why it failed")] = ""


class EventLog(_Section, frozen=True):
    """Your table of received webhook events."""

    table: Annotated[
        str, Meta(description="Table, or schema.table; exactly as spelled in the catalog")
    ]
    columns: EventLogColumns
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        _named(self.table, "table")
        _named(self.columns.event_id, "columns.event_id")
        _named(self.columns.received_at, "columns.received_at")
        _zone(self.timezone)


class WebhookEndpoint(_Section, frozen=True):
    """One endpoint of yours that Stripe calls."""

    url: Annotated[str, Meta(description="As registered with Stripe")]
    name: Annotated[str, Meta(description="How reports call it; empty is the URL")] = ""


class WebhookSettings(_Section, frozen=True):
    """Where Stripe delivers."""

    endpoints: Annotated[
        tuple[WebhookEndpoint, ...], Meta(description="Every address that Stripe delivers to")
    ] = ()


class BreakerKeys(_Section, frozen=True):
    """Redis keys of a breaker kept in separate keys."""

    state: Annotated[str, Meta(description="closed, open or half_open; absent is closed")]
    failures: Annotated[str, Meta(description="Count of failures")] = ""
    opened_at: Annotated[str, Meta(description="Epoch seconds, milliseconds or ISO time")] = ""
    last_failure: Annotated[str, Meta(description="A time likewise")] = ""


class Breaker(_Section, frozen=True):
    """A circuit breaker in Redis."""

    name: Annotated[str, Meta(description="How reports and commands call it")]
    keys: BreakerKeys
    layout: Annotated[
        Literal["split"], Meta(description="How it is stored: each value under a key of its own")
    ] = "split"
    guards: Annotated[str, Meta(description="The dependency behind it, for the next command")] = (
        "stripe"
    )
    failure_threshold: Annotated[int, Meta(ge=1, description="Failures that open it")] = 5
    window: Annotated[Duration, Meta(description="Failures are counted over")] = _span(60)
    recovery: Annotated[Duration, Meta(description="Half-open after")] = _span(30)


class CircuitSettings(_Section, frozen=True):
    """The breakers to read."""

    breakers: Annotated[tuple[Breaker, ...], Meta(description="Each under a name of its own")] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [breaker.name for breaker in self.breakers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f".breakers: two are named {twice!r}")


class AppEndpoint(_Section, frozen=True):
    """An HTTP address of the application and what it should answer."""

    url: Annotated[str, Meta(description="Asked with GET; redirects are not followed")]
    name: Annotated[str, Meta(description="How reports call it; empty is the URL")] = ""
    expect: Annotated[tuple[int, ...], Meta(description="Good HTTP status codes")] = (200,)
    timeout: Annotated[Duration, Meta(description="Longest wait for its answer")] = _span(5)


class AppSettings(_Section, frozen=True):
    """The application itself."""

    endpoints: Annotated[
        tuple[AppEndpoint, ...], Meta(description="Health URLs and pages that must answer")
    ] = ()


ThresholdValue = float | int | str | None


class Remedy(_Section, frozen=True):
    """A guarded change in SQL: what would change, one row of `select` a change.

    `select` gives the key columns, then each column to be changed as it is now under its own name
    and its new value as `new_COLUMN`; %(name)s are its `params`. The change itself is payops' own
    compare-and-set on exactly those columns.
    """

    title: Annotated[str, Meta(description="What it does, one line")]
    why: Annotated[str, Meta(description="Shown in the plan, and kept in the journal")]
    table: Annotated[str, Meta(description="Table, or schema.table")]
    key: Annotated[tuple[str, ...], Meta(description="Columns that find one row")]
    select: Annotated[str, Meta(description="SELECT of key, COLUMN and new_COLUMN")]
    risk: Annotated[str, Meta(description="What could go wrong, one line")] = ""
    max_changes: Annotated[int, Meta(ge=1, description="More than this is refused")] = 100
    params: Annotated[dict[str, str], Meta(description="Named values and their defaults")] = {}
    source: Annotated[str, Meta(description="Which runbook line it comes from")] = ""


class ApplySettings(_Section, frozen=True):
    """Limits of `payops apply`; --force lifts the caps alone."""

    max_changes: Annotated[int, Meta(ge=1, description="Changes in one plan")] = 200
    max_money: Annotated[dict[str, int], Meta(description="currency: minor units in one plan")] = {}
    max_age: Annotated[Duration, Meta(description="An older plan is refused")] = _span(3600)


class PathSettings(_Section, frozen=True):
    """Where payops writes: spool, journal, bundles; mode 0600."""

    state: Annotated[str, Meta(description="Folder; '' is $XDG_STATE_HOME/payops")] = ""


class ReconcileSettings(_Section, frozen=True):
    """How the two sides are compared."""

    grace: Annotated[Duration, Meta(description="Younger payments are in flight, no exception")] = (
        _span(600)
    )
    slack: Annotated[
        Duration, Meta(description="Fetched beyond both edges: the sides' clocks differ")
    ] = _span(3600)


class ThresholdOverride(_Section, frozen=True):
    """New limits for one measured value of one check."""

    warn: Annotated[
        ThresholdValue | UnsetType, Meta(description="WARN beyond it: 30m, 95%, 10; null is never")
    ] = UNSET
    crit: Annotated[ThresholdValue | UnsetType, Meta(description="CRIT beyond it, likewise")] = (
        UNSET
    )


class EscalationLevel(_Section, frozen=True):
    """Whom to call, and after how long."""

    level: Annotated[str, Meta(description="P1, critical, first line, …")]
    contact: Annotated[str, Meta(description="Whom to call, and how")]
    after: Annotated[Duration, Meta(description="How long after the beginning")] = _span(0)


class Settings(_Section, frozen=True):
    """payops' configuration: one YAML file, on top of an optional preset."""

    preset: Annotated[
        str, Meta(description="Start from this built-in mapping; your keys override it")
    ] = ""
    environment: Annotated[str, Meta(description="production must have live keys")] = "production"
    unreachable: Annotated[
        Literal["CRIT", "UNKNOWN", "WARN"],
        Meta(description="Status of a check whose dependency does not answer"),
    ] = "CRIT"
    stripe: StripeSettings | None = None
    postgres: PostgresSettings | None = None
    redis: RedisSettings | None = None
    ledgers: Annotated[
        dict[str, Ledger], Meta(description="name: table; health looks at the first of payments")
    ] = {}
    external: ExternalSettings | None = None
    event_logs: Annotated[
        dict[str, EventLog], Meta(description="name: table of received webhook events")
    ] = {}
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    circuit: CircuitSettings = field(default_factory=CircuitSettings)
    app: AppSettings = field(default_factory=AppSettings)
    thresholds: Annotated[
        dict[str, dict[str, ThresholdOverride]],
        Meta(description="check id: {measured value: {warn, crit}}; see `payops health --list`"),
    ] = {}
    escalation: Annotated[
        tuple[EscalationLevel, ...], Meta(description="Whom to call, in this order")
    ] = ()
    reconcile: Annotated[
        ReconcileSettings, Meta(description="How Stripe and the ledger are compared")
    ] = field(default_factory=ReconcileSettings)
    remedies: Annotated[
        dict[str, Remedy], Meta(description="Own guarded SQL: payops remedy plan NAME")
    ] = {}
    apply: Annotated[ApplySettings, Meta(description="Limits of payops apply")] = field(
        default_factory=ApplySettings
    )
    paths: Annotated[PathSettings, Meta(description="Where payops writes")] = field(
        default_factory=PathSettings
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        outside = self.external.transactions if self.external else None
        if outside and outside.ledger:
            named = self.ledgers.get(outside.ledger)
            if named is None or named.kind != "external":
                raise ValueError(
                    f".external.transactions.ledger: no ledger of kind external is named "
                    f"{outside.ledger!r}"
                )

    @property
    def payments(self) -> Ledger | None:
        """The first ledger of payments, the one that health looks at; None when none is mapped."""
        return next((ledger for ledger in self.ledgers.values() if ledger.kind == "payments"), None)
