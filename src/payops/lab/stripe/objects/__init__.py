"""Pure builders of Stripe objects: consistent, complete in their fields, keyword-only.

Amounts are integer minor units, times are epoch seconds, ids are the caller's (see
`new_id`). The fields are those of Stripe's published examples (MIT, Copyright (c) 2011-
Stripe, Inc.; see NOTICE one folder up).
"""

from payops.lab.stripe.objects.accounts import account, customer, event, webhook_endpoint
from payops.lab.stripe.objects.balances import balance, balance_transaction, dispute, payout
from payops.lab.stripe.objects.payments import (
    card_error,
    charge,
    checkout_session,
    outcome,
    payment_intent,
    refund,
)
from payops.lab.stripe.objects.shapes import StripeObject, derived_token, kinds, new_id, shape

__all__ = [
    "StripeObject",
    "account",
    "balance",
    "balance_transaction",
    "card_error",
    "charge",
    "checkout_session",
    "customer",
    "derived_token",
    "dispute",
    "event",
    "kinds",
    "new_id",
    "outcome",
    "payment_intent",
    "payout",
    "refund",
    "shape",
    "webhook_endpoint",
]
