"""The configuration as payops uses it: frozen, typed, every key explained.

The descriptions here and in the files of the larger sections are the JSON Schema's (`payops config
schema`). Unknown keys are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from payops.config.checks import OwnCheck, refuse_odd_names
from payops.config.circuit import CircuitSettings
from payops.config.external import ExternalSettings
from payops.config.keys import KeySettings
from payops.config.ledger import Ledger
from payops.config.queues import Queue
from payops.config.section import Duration, Section, span
from payops.config.sources import PostgresSettings, RedisSettings, StripeSettings
from payops.config.trace import TraceSettings
from payops.config.webhooks import EventLog, WebhookSettings


class AppEndpoint(Section, frozen=True):
    """An HTTP address of the application and what it should answer."""

    url: Annotated[
        str, Meta(description="Asked with GET, no redirects; /path is below app.base_url")
    ]
    name: Annotated[str, Meta(description="How reports call it; empty is the URL")] = ""
    expect: Annotated[tuple[int, ...], Meta(description="Good HTTP status codes")] = (200,)
    timeout: Annotated[Duration, Meta(description="Longest wait for its answer")] = span(5)


class AppSettings(Section, frozen=True):
    """The application itself."""

    base_url: Annotated[
        str, Meta(description="Where it answers: https://shop.example.com, for endpoints of a path")
    ] = ""
    endpoints: Annotated[
        tuple[AppEndpoint, ...], Meta(description="Health URLs and pages that must answer")
    ] = ()

    @property
    def addresses(self) -> tuple[AppEndpoint, ...]:
        """The endpoints with whole URLs; without a base_url those of a path alone are left out."""
        from msgspec.structs import replace

        base = self.base_url.rstrip("/")
        return tuple(
            replace(one, name=one.name or one.url, url=f"{base}{one.url}")
            if one.url.startswith("/")
            else one
            for one in self.endpoints
            if base or not one.url.startswith("/")
        )


class RiskSettings(Section, frozen=True):
    """What is unusual for this shop; the runbooks give no numbers (S1-22)."""

    high_value: Annotated[
        dict[str, int], Meta(description="currency: minor units; a larger payment is flagged")
    ] = {}
    escalate_over: Annotated[
        dict[str, int],
        Meta(description="currency: minor units affected; more is told to level 4 (S2-43)"),
    ] = field(default_factory=lambda: dict.fromkeys(("usd", "eur", "gbp"), 1_000_000))


ThresholdValue = float | int | str | None


class Remedy(Section, frozen=True):
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


class ApplySettings(Section, frozen=True):
    """Limits of `payops apply`; --force lifts the caps alone."""

    max_changes: Annotated[int, Meta(ge=1, description="Changes in one plan")] = 200
    max_money: Annotated[dict[str, int], Meta(description="currency: minor units in one plan")] = {}
    max_age: Annotated[Duration, Meta(description="An older plan is refused")] = span(3600)


class PathSettings(Section, frozen=True):
    """Where payops writes: spool, journal, bundles; mode 0600."""

    state: Annotated[str, Meta(description="Folder; '' is $XDG_STATE_HOME/payops")] = ""


class ReconcileSettings(Section, frozen=True):
    """How the two sides are compared."""

    grace: Annotated[Duration, Meta(description="Younger payments are in flight, no exception")] = (
        span(600)
    )
    slack: Annotated[
        Duration, Meta(description="Fetched beyond both edges: the sides' clocks differ")
    ] = span(3600)


class ThresholdOverride(Section, frozen=True):
    """New limits for one measured value of one check."""

    warn: Annotated[
        ThresholdValue | UnsetType, Meta(description="WARN beyond it: 30m, 95%, 10; null is never")
    ] = UNSET
    crit: Annotated[ThresholdValue | UnsetType, Meta(description="CRIT beyond it, likewise")] = (
        UNSET
    )


class EscalationLevel(Section, frozen=True):
    """Whom to call, and after how long."""

    level: Annotated[str, Meta(description="P1, critical, first line, …")]
    contact: Annotated[str, Meta(description="Whom to call, and how")]
    after: Annotated[Duration, Meta(description="How long after the beginning")] = span(0)


class Settings(Section, frozen=True):
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
    keys: KeySettings = field(default_factory=KeySettings)
    queues: Annotated[
        dict[str, Queue], Meta(description="name: work that waits in Redis for a worker")
    ] = {}
    circuit: CircuitSettings = field(default_factory=CircuitSettings)
    trace: TraceSettings = field(default_factory=TraceSettings)
    app: AppSettings = field(default_factory=AppSettings)
    risk: Annotated[
        RiskSettings, Meta(description="What is flagged as unusual: payments.high-value")
    ] = field(default_factory=RiskSettings)
    thresholds: Annotated[
        dict[str, dict[str, ThresholdOverride]],
        Meta(description="check id: {measured value: {warn, crit}}; see `payops health --list`"),
    ] = {}
    checks: Annotated[
        dict[str, OwnCheck], Meta(description="Own questions: own.NAME of payops health")
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
        refuse_odd_names(self.checks)
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
