"""An event's way from Stripe to a row, and the causes for which it is lost on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.status import Status


class Cause(Enum):
    """Why an event did not become a row, or not as it should. The value is the word in JSON."""

    UNREACHABLE = "endpoint-unreachable"
    """Nothing answers: DNS, refused, TLS, timeout."""
    REDIRECTS = "endpoint-redirects"
    """Any 3xx: to Stripe a failed delivery."""
    FORBIDS = "endpoint-forbids"
    """4xx that is no signature's: a login wall, a wrong path."""
    FAILS = "endpoint-fails"
    """5xx."""
    DISABLED = "endpoint-disabled"
    """Stripe sends nothing, and will not send later what happened meanwhile."""
    NOT_SUBSCRIBED = "type-not-subscribed"
    """The ledger needs the type, and no enabled endpoint is registered for it."""
    SIGNATURE = "signature-refused"
    """The endpoint answers well, and refuses what Stripe signed."""
    NOT_PROCESSED = "received-not-processed"
    """In the event log, and stuck or failed there."""
    SWALLOWED = "answered-not-processed"
    """Delivered with 2xx, and the ledger did not move."""
    LATE = "processed-late"
    TWICE = "processed-twice"
    OUT_OF_ORDER = "out-of-order"
    """An older event overwrote a newer state."""
    NEVER_GENERATED = "event-never-generated"
    """The object changed at Stripe, and there is no event of it."""
    UNDELIVERED = "undelivered"
    """Not delivered, and nothing that was seen says why."""


class Moved(Enum):
    """Whether the ledger shows what an event told."""

    YES = "yes"
    NO = "no"
    NO_ROW = "no row"
    """The ledger has no row for it."""
    NOT_TOLD = "not told"
    """The ledger has no word for what this type tells, or is not mapped."""


@dataclass(frozen=True, slots=True)
class PathEvent:
    """One event of Stripe's, and how far it got.

    `created` is Stripe's, the other times those of the event log: aware UTC, None where nothing is
    known. `pending_webhooks` endpoints have not accepted it yet. `object_id` and `object_status`
    are of what it is about (`pi_…`, `succeeded`), `refunded` whether all of a charge is given back
    (None of anything else), `named_id` and `named_order` what its metadata
    says of our own row. `logged` is what the event log says of it: `handled`, `failed` or
    `waiting`, empty where it has no row (or there is no log); `times` how many rows say that it was
    handled.
    `seen` tells whether its dedupe key is in Redis, None where there is none to look at or the
    event is older than the keys' life. `local_id` is the ledger's row, `local_state` its state in
    payops' words, empty where it has none that is mapped.
    """

    id: str
    type: str
    created: datetime
    livemode: bool
    pending_webhooks: int
    object_id: str = ""
    object_status: str = ""
    refunded: bool | None = None
    payment_intent: str = ""
    named_id: str = ""
    named_order: str = ""
    amount: Money | None = None
    api_version: str = ""
    logged: str = ""
    received_at: datetime | None = None
    processed_at: datetime | None = None
    times: int = 0
    attempts: int | None = None
    error: str = ""
    seen: bool | None = None
    moved: Moved = Moved.NOT_TOLD
    local_id: str = ""
    local_state: str = ""


@dataclass(frozen=True)
class Had:
    """Ids of events that Stripe still owes an endpoint, and that this side has had.

    `since` was handled later, when it had been sent again or put right: nothing is owed but
    Stripe's own next attempt, a duplicate. `at_once` was handled when it was made.
    """

    since: frozenset[str] = frozenset()
    at_once: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Loss:
    """What one cause has cost: how many events of how many payments, since when, how sure.

    `detail` tells the cause within the cause (`refused`, `308 to …`, `wrong secret`). `certain` is
    False where the cause is what remains, and nothing that was seen proves it. `events` are some of
    the ids, the oldest first; `count` counts all.
    """

    cause: Cause
    status: Status
    summary: str
    count: int
    detail: str = ""
    certain: bool = True
    since: datetime | None = None
    newest: datetime | None = None
    money: tuple[MoneyAtRisk, ...] = ()
    events: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[Action, ...] = field(default=())
