"""Everything that was seen of one payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from payops.domain.money import Money, exponent
from payops.domain.payment import PAID, PaymentStatus
from payops.domain.timeline import Clock
from payops.sources.stripe_payment import (
    BalanceLine,
    ChargeObject,
    DisputeObject,
    EndpointFact,
    Intent,
    PayoutObject,
    RefundObject,
    SessionObject,
    StoryEvent,
    id_of,
)
from payops.trace.reach import Unseen

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.event_log import LogRow
    from payops.sources.lookup import NamedRow
    from payops.sources.mapped_rows import Texts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LedgerRow:
    """A row of a ledger, and what its mapping makes of it."""

    name: str
    ledger: Ledger
    row: NamedRow

    @property
    def key(self) -> str:
        return self.row.key

    @property
    def word(self) -> PaymentStatus | None:
        """payops' word for its status; None for one that the mapping does not know."""
        raw = self.row.status or ""
        fold = not self.ledger.match_case
        for word, values in self.ledger.statuses.items():
            if raw in values or (fold and raw.lower() in {each.lower() for each in values}):
                return PaymentStatus(word)
        return None

    @property
    def currency(self) -> str:
        return self.row.currency or self.ledger.currency

    @property
    def stored(self) -> int | None:
        """Its amount in minor units, None where it is none."""
        return self.minor(self.row.amount)

    @property
    def charged(self) -> int | None:
        """What Stripe should have been asked for: the amount less what is deducted."""
        stored = self.stored
        if stored is None:
            return None
        return stored - (self.minor(self.row.deduction) or 0)

    def minor(self, text: str | None) -> int | None:
        """A column's amount in minor units; None where it is no whole number of them."""
        if text is None:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            return None
        if self.ledger.amount_unit == "major":
            number = number.scaleb(exponent(self.currency))
        if not number.is_finite() or abs(number.adjusted()) > 30 or number != int(number):
            return None
        return int(number)

    @property
    def money(self) -> Money | None:
        stored = self.stored
        return None if stored is None else Money(self.currency, stored)

    @property
    def created(self) -> datetime | None:
        return moment_us(self.row.created_us)

    @property
    def updated(self) -> datetime | None:
        return moment_us(self.row.updated_us)

    @property
    def completed(self) -> datetime | None:
        return moment_us(self.row.completed_us)

    @property
    def references(self) -> tuple[str, ...]:
        """What it names at Stripe, whatever its column is called."""
        row = self.row
        return tuple(
            dict.fromkeys(
                each for each in (row.processor_ref, row.charge_ref, row.session_ref) if each
            )
        )


@dataclass(frozen=True)
class RedisKey:
    """A key: whether it is there, its seconds left to live, and what it holds (shortened)."""

    key: str
    there: bool
    ttl_s: int | None = None
    value: str = ""
    about: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True)
class BreakerSeen:
    """A breaker as it is now, and when it opened where that is stored."""

    name: str
    state: str
    opened_at: datetime | None
    as_of: datetime


@dataclass(frozen=True)
class Way:
    """How an event was lost: `cause` is the word of `domain.webhook.Cause`, `detail` the cause
    within it, `said` a sentence. `certain` is False where it is what remains."""

    cause: str
    detail: str
    said: str
    certain: bool = True


@dataclass(frozen=True)
class Unmade:
    """An event that there should be: its type, when what it tells happened, and to which object."""

    type: str
    at: datetime
    about: str


@dataclass
class Story:
    """One payment, from every side that could be seen.

    `reference` is the intent that was asked for; `intent` is None where Stripe has none, or could
    not be asked (`stripe_seen`). `absent` tells
    that the ledger's reference was asked for at Stripe, and is not there; `other_mode` that it is
    there for keys of the other mode. `events_from` are the spans that events were read for whole.
    `siblings` are other intents of the same order or row; `meta_keys` the keys of the metadata that
    name one of ours.
    """

    now: datetime
    grace: timedelta
    event_within: timedelta
    livemode: bool | None = None
    reference: str = ""
    intent: Intent | None = None
    made_of_charge: bool = False
    absent: str = ""
    other_mode: bool = False
    stripe_seen: bool = False
    ledger_seen: bool = False
    charges: tuple[ChargeObject, ...] = ()
    refunds: tuple[RefundObject, ...] = ()
    refunds_seen: bool = False
    disputes: tuple[DisputeObject, ...] = ()
    sessions: tuple[SessionObject, ...] = ()
    payouts: tuple[tuple[PayoutObject, str], ...] = ()
    siblings: tuple[Intent, ...] = ()
    events: tuple[StoryEvent, ...] = ()
    events_from: tuple[tuple[datetime, datetime], ...] = ()
    endpoints: tuple[EndpointFact, ...] | None = None
    ways: Mapping[str, Way] = field(default_factory=dict)
    unmade: tuple[Unmade, ...] = ()
    probed: tuple[str, ...] = ()
    rows: tuple[LedgerRow, ...] = ()
    sibling_rows: tuple[LedgerRow, ...] = ()
    refund_rows: tuple[LedgerRow, ...] = ()
    keeps_refunds: bool = False
    logged: Mapping[str, Sequence[LogRow]] = field(default_factory=dict)
    log_seen: bool = False
    audits: tuple[tuple[str, Texts], ...] = ()
    shown: frozenset[str] = frozenset()
    redis_keys: tuple[RedisKey, ...] = ()
    breakers: tuple[BreakerSeen, ...] = ()
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    unseen: tuple[Unseen, ...] = ()
    maps_fee: bool = False
    meta_keys: frozenset[str] = frozenset()

    @property
    def row(self) -> LedgerRow | None:
        """The row that is judged: one that says paid before one that does not, then the first."""
        if not self.rows:
            return None

        def order(one: LedgerRow) -> tuple[int, int, int, str, str]:
            named = self.intent is not None and one.row.processor_ref == self.intent.id
            return (
                0 if one.word in PAID else 1,
                0 if named else 1,
                one.row.created_us or 0,
                one.name,
                one.key,
            )

        return min(self.rows, key=order)

    @property
    def charge(self) -> ChargeObject | None:
        """The charge that counts: the intent's latest."""
        if not self.charges:
            return None
        latest = id_of(self.intent.latest_charge) if self.intent else ""
        return next((one for one in self.charges if one.id == latest), self.charges[-1])

    @property
    def lines(self) -> tuple[BalanceLine, ...]:
        """Balance transactions of the charges, refunds and disputes, oldest first."""
        found: list[BalanceLine | str | None] = [each.balance_transaction for each in self.charges]
        found += [each.balance_transaction for each in self.refunds]
        every = [one for one in found if isinstance(one, BalanceLine)]
        every += [line for dispute in self.disputes for line in dispute.balance_transactions]
        return tuple(sorted(every, key=lambda line: (line.created, line.id)))

    @property
    def taken(self) -> int:
        """Minor units that Stripe took."""
        if self.intent is None:
            return 0
        received = self.intent.amount_received
        captured = sum(one.taken for one in self.charges)
        if received is None and not self.charges:
            return self.intent.amount if self.intent.status == "succeeded" else 0
        return max(received or 0, captured)

    @property
    def given(self) -> int:
        """Minor units that went back to the customer and have arrived there."""
        told = sum(one.amount_refunded for one in self.charges)
        live = [one for one in self.refunds if one.status not in ("failed", "canceled")]
        done = sum(one.amount for one in live) - self.on_its_way
        return max(told, done)

    @property
    def on_its_way(self) -> int:
        """Minor units of refunds that have not arrived."""
        waiting = ("pending", "requires_action")
        return sum(one.amount for one in self.refunds if one.status in waiting)

    @property
    def order(self) -> str:
        """Our order's name, by the row."""
        return next((one.row.order_id for one in self.rows if one.row.order_id), "")

    def reads(self, moment: datetime) -> bool:
        """Whether the events of that moment were read whole."""
        return any(first <= moment <= last for first, last in self.events_from)


def moment(seconds: int) -> datetime:
    """Stripe's time as aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_us(microseconds: int | None) -> datetime | None:
    """The spool's time as aware UTC."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
