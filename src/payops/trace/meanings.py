"""What Stripe's words mean to the person on call (S1-09, S1-07, S1-23)."""

from __future__ import annotations

# Stripe's documentation, 'PaymentIntent lifecycle'. `payment_failed`, which runbook 001 lists
# beside them, is an event and no state: the intent is back at requires_payment_method then.
INTENT = {
    "requires_payment_method": "waits for a card: none was given yet, or the last one was refused",
    "requires_confirmation": "has a card, and nobody has confirmed it: the server has to",
    "requires_action": "waits for the customer: 3-D Secure, or another page of the bank's",
    "processing": "on its way at the bank: it may still fail, for days with bank debits",
    "requires_capture": "authorised, nothing taken: the server has to capture it within 7 days",
    "canceled": "will never be paid; what was authorised is released",
    "succeeded": "the money is taken",
}
NO_STATUS = "payment_failed is an event, no state: the intent is requires_payment_method then"

DISPUTE = {
    "needs_response": "evidence is wanted",
    "under_review": "the bank decides; the money is away meanwhile",
    "won": "the money came back",
    "lost": "the money is gone",
    "warning_needs_response": "an inquiry: no money has moved, an answer is wanted",
    "warning_under_review": "an inquiry: no money has moved",
    "warning_closed": "an inquiry that went no further",
    "prevented": "kept from becoming a dispute",
}
OPEN_DISPUTES = frozenset({"needs_response", "warning_needs_response"})

NETWORK = {
    "approved_by_network": "approved by the bank",
    "declined_by_network": "refused by the bank",
    "not_sent_to_network": "blocked by Stripe before the bank was asked",
    "reversed_after_approval": "approved by the bank, then blocked by Stripe",
}


def of_intent(status: str) -> str:
    """The meaning of a PaymentIntent's status, with payment_failed's place; empty for unknown.

    >>> of_intent("payment_failed") == NO_STATUS
    True
    """
    return NO_STATUS if status == "payment_failed" else INTENT.get(status, "")
