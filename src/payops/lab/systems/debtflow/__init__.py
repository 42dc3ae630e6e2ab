"""DebtFlow: debts paid off by card; Django, whose cache holds what other systems have tables for.

Facts: public repository ricardocanela/DebtFlow, main at 8a8def7 (2026-02-13).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.history.style import Style, no_metadata
from payops.lab.merchant.answer import Answer
from payops.lab.systems.debtflow.cache import strings
from payops.lab.systems.debtflow.rows import idempotency_key, metadata, tables
from payops.lab.systems.system import Front, System

# The balance moves in one transaction with the payment: what is pending has not moved it yet, and
# what Stripe alone gave back is still taken off.
_BALANCES = """
    UPDATE accounts_account AS account SET current_balance = owed.amount
    FROM (
      SELECT account.id, greatest(
        account.original_amount
          - coalesce(sum(payment.amount) FILTER (WHERE payment.status = 'completed'), 0), 0
      ) AS amount
      FROM accounts_account AS account
      LEFT JOIN payments_payment AS payment ON payment.account_id = account.id
      GROUP BY account.id, account.original_amount
    ) AS owed
    WHERE owed.id = account.id AND account.current_balance <> owed.amount
"""

SYSTEMS = (
    System(
        name="debtflow",
        preset="debtflow",
        package=__name__,
        schema=("schema.sql",),
        style=Style(
            currencies=("usd",),
            # A partial refund is stored as a whole one, a cancellation not at all, a dispute as a
            # note; why a payment failed stands inside a JSON column.
            without=frozenset({"PARTIALLY_REFUNDED", "CANCELED", "ABANDONED", "DISPUTED"}),
            declines_of_late=False,
            idempotency_key=idempotency_key,
            metadata=metadata,
            refund_metadata=no_metadata,
            customers="none",
            described=False,
        ),
        tables=tables,
        strings=strings,
        front=Front(
            webhook="/api/v1/payments/webhook/stripe/",
            health="/health/",
            received=Answer(200, {"status": "processed"}),
            repeated=Answer(200, {"status": "already_processed"}),
            refused=Answer(400, {"error": "Invalid signature"}),
        ),
        # A row is completed by Stripe's answer, and success changes nothing in it.
        unheard={
            "charge.refunded": {"status": "completed"},
            "payment_intent.payment_failed": {"status": "completed"},
        },
        dedupe=":1:stripe_event:{event}",
        # A pending row never has a PaymentIntent.
        stuck={"status": "pending", "processor_ref": None},
        settled=_BALANCES,
        besides={
            "payments.stuck-pending": {"own.reconcile-job": Status.WARN},
            "payments.failure-rate": {"own.creating-fails": Status.WARN},
        },
        failed={"status": "failed", "metadata": {"error": "Payment processor unavailable"}},
        asked_of_stripe=frozenset(
            {"payments.declines", "payments.latency", "payments.requires-action"}
        ),
    ),
)
