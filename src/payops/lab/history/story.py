"""What a story is made of: every id, second and cent of what happened, once.

The Stripe objects, the ledger's rows and the event log are all read from it, so they cannot
disagree.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from uuid import UUID

from payops.lab.history.endings import Ending
from payops.lab.history.shop import Decline, Shopper
from payops.lab.stripe.objects import new_id


class Subject(Enum):
    """What an event is about."""

    INTENT = "payment_intent"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    SESSION = "checkout.session"


@dataclass(frozen=True)
class Happening:
    """One event: at Stripe, and in the shop's event log.

    `created` is Stripe's epoch second; it was received 1 to 3 s later and handled at
    `processed_at`. `step` counts the refunds made by then, this one included. `asked` tells that
    the shop's own request to pay caused it.
    """

    id: str
    type: str
    subject: Subject
    created: int
    received_at: datetime
    processed_at: datetime
    step: int = 0
    asked: bool = False


@dataclass(frozen=True)
class Refund:
    """Money given back. `amount` is in the payment's minor units, `cents` what it cost settled."""

    id: str
    row_id: UUID
    transaction: str
    amount: int
    cents: int
    created: int
    reason: str


@dataclass(frozen=True)
class Dispute:
    """A chargeback of the whole payment; `status` is needs_response or under_review."""

    id: str
    transaction: str
    created: int
    reason: str
    status: str


@dataclass(frozen=True)
class PaymentStory:
    """One payment from the order to its end. Times are epoch seconds, amounts minor units.

    `created` is the PaymentIntent's, `acted` when the customer was asked to authenticate (None:
    never), `over` when it succeeded, failed or was canceled. `charge` is None when the money was
    never asked for, `transaction` when it was not got. `cents` is the amount settled.
    `row_created_at` is the ledger's, just before the PaymentIntent. `idempotency_key` is empty
    where the shop sends none.
    """

    payment_id: UUID
    order_id: str
    idempotency_key: str
    shopper: Shopper
    amount: int
    currency: str
    cents: int
    ending: Ending
    intent: str
    charge: str | None
    transaction: str | None
    row_created_at: datetime
    created: int
    acted: int | None
    over: int
    decline: Decline | None
    refunds: tuple[Refund, ...]
    dispute: Dispute | None
    events: tuple[Happening, ...]


@dataclass(frozen=True)
class Line:
    """One balance transaction of a payment; `cents` and `fee` in the settlement currency.

    `type` is charge, refund or adjustment (a dispute); `source` the object it is about.
    `available_on` and `created` are epoch seconds.
    """

    id: str
    type: str
    source: str
    cents: int
    fee: int
    created: int
    available_on: int

    @property
    def net(self) -> int:
        """What it moves in the account's balance."""
        return self.cents - self.fee


@dataclass(frozen=True)
class Payout:
    """An automatic payout of `cents` to the bank: the sum of the balance transactions `lines`.

    `created` and `arrival` are epoch seconds; `paid` tells whether it has arrived.
    """

    id: str
    transaction: str
    cents: int
    created: int
    arrival: int
    paid: bool
    lines: frozenset[str]
    events: tuple[Happening, ...]


@dataclass(frozen=True)
class Stories:
    """Everything that happened: the customers, their payments (oldest first) and the payouts."""

    shoppers: tuple[Shopper, ...]
    payments: tuple[PaymentStory, ...]
    payouts: tuple[Payout, ...]


def happening(
    rng: random.Random,
    type: str,
    subject: Subject,
    created: int,
    step: int = 0,
    asked: bool = False,
) -> Happening:
    """An event that arrived 1 to 2.6 s after it was made, and was handled at once."""
    made = datetime.fromtimestamp(created, UTC)
    received = made + timedelta(milliseconds=rng.randint(1_000, 2_600))
    processed = received + timedelta(milliseconds=rng.randint(15, 180))
    return Happening(new_id("evt", rng), type, subject, created, received, processed, step, asked)
