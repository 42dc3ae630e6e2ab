"""Which types of Stripe's events tell which state."""

from __future__ import annotations

# The first is the one that most applications listen to.
TYPES = {
    "paid": ("payment_intent.succeeded", "checkout.session.completed", "charge.succeeded"),
    "declined": ("payment_intent.payment_failed", "charge.failed"),
    "canceled": ("payment_intent.canceled", "checkout.session.expired"),
    "processing": ("payment_intent.processing",),
    "action": ("payment_intent.requires_action",),
    "refund": ("charge.refunded", "refund.created", "refund.updated", "refund.failed"),
    "dispute": ("charge.dispute.created",),
    "held": ("payment_intent.amount_capturable_updated",),
}


def tells(about: str) -> tuple[str, ...]:
    """Types of events that tell it; empty for what no event does."""
    return TYPES.get(about, ())


def awaited(state: str) -> str:
    """The type of event that the application waits for in this state."""
    return {
        "processing": "payment_intent.succeeded",
        "action": "payment_intent.succeeded",
        "held": "charge.captured",
    }.get(state, "")
