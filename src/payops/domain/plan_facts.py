"""What a plan has to know of one discrepancy beyond what is told of it: Stripe's side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.domain.money import Money


@dataclass(frozen=True)
class StripeFacts:
    """Stripe's side of one discrepancy, from which a fix takes its values.

    `payment_intent`, `charge`, `refund` are ids, empty when there is none. `created` is when the
    object that is missing or differs was made (of a refund: the refund), `succeeded_at` when the
    charge took the money; both aware UTC. `amount` is that object's. `failure_code` is Stripe's
    decline code, else its error code. `local_id` is the ledger row that belongs to it: of a refund
    the payment's key.

    `other_live` are the ids of other PaymentIntents that took or may still take money for the same
    order, or for the same customer within the window: a change is refused when there are any. None
    means that nobody looked, and is refused likewise.
    """

    payment_intent: str = ""
    charge: str = ""
    refund: str = ""
    created: datetime | None = None
    succeeded_at: datetime | None = None
    failure_code: str = ""
    amount: Money | None = None
    local_id: str = ""
    other_live: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Refusal:
    """Something that was not planned: which (`pi_…`, or a row's key), and why, in words."""

    subject: str
    why: str
