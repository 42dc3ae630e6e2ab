"""The files of a spool: plain CSV with a header, so that anything can read and write them.

A spool is a folder. Each kind of row lies in `KIND/*.csv` (many files are one table), written
whole under a temporary name and renamed when complete. Money is integer minor units where Stripe
gives it, the table's own text where a ledger does; times are integer microseconds since the epoch
in UTC; absent is an empty field. The columns are in this order, and a reader names their types.
"""

from __future__ import annotations

# One row a PaymentIntent, with what its latest charge says. Amounts in minor units of `currency`.
# `fee` is the balance transaction's, in `fee_currency`, only when a ledger maps fees.
# `meta_local` and `meta_order` are the metadata values that the mapping's `references` name.
# `session` is the Checkout Session that made the intent, only when a ledger maps sessions.
INTENTS = (
    "id",
    "created_us",
    "status",
    "amount",
    "amount_received",
    "currency",
    "livemode",
    "customer",
    "meta_local",
    "meta_order",
    "session",
    "charge",
    "charge_status",
    "charge_created_us",
    "amount_captured",
    "amount_refunded",
    "disputed",
    "failure_code",
    "fee",
    "fee_currency",
    "idempotency_key",
)
REFUNDS = ("id", "created_us", "status", "amount", "currency", "payment_intent", "charge", "reason")
DISPUTES = ("id", "created_us", "status", "amount", "currency", "payment_intent", "charge")
SESSIONS = (
    "id",
    "created_us",
    "status",
    "payment_status",
    "payment_intent",
    "amount_total",
    "currency",
    "meta_local",
    "meta_order",
    "livemode",
)
# One row of a mapped ledger. `key` is the primary key as text; `amount`, `deduction` and `fee` are
# the stored numbers as exact decimal text in the ledger's unit; `currency` is lower case, the
# mapping's default put in. Columns that the mapping leaves out are empty.
LEDGER = (
    "key",
    "status",
    "amount",
    "deduction",
    "currency",
    "created_us",
    "updated_us",
    "completed_us",
    "processor_ref",
    "charge_ref",
    "session_ref",
    "idempotency_key",
    "order_id",
    "customer_id",
    "failure_code",
    "payment_key",
    "refunded_amount",
    "fee",
)
# Idempotency keys of intents that no row was found for; only among what was confirmed late.
KEYS = ("id", "idempotency_key")
KINDS = {
    "intents": INTENTS,
    "refunds": REFUNDS,
    "disputes": DISPUTES,
    "sessions": SESSIONS,
    # each mapped ledger is `ledger-NAME`, with LEDGER's columns
}
