"""The words for a payment's state that every ledger's own words are mapped to."""

from __future__ import annotations

from enum import Enum


class PaymentStatus(Enum):
    """What a ledger believes of a payment. The values are the keys of `statuses:`."""

    PENDING = "pending"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    DISPUTED = "disputed"


# The money has been taken at some time, whatever became of it.
PAID = frozenset(
    {
        PaymentStatus.SUCCEEDED,
        PaymentStatus.REFUNDED,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.DISPUTED,
    }
)
# Nobody has said how it ends. `requires_action` waits for the customer, so it is not stuck with us.
OPEN = frozenset({PaymentStatus.PENDING, PaymentStatus.PROCESSING})
