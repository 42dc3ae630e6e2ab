"""The shop's writes to its own tables. A payment only ever moves forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

# From the first word to the last: an event that arrives late never takes a payment back.
FORWARD = (
    "pending",
    "processing",
    "requires_action",
    "failed",
    "canceled",
    "succeeded",
    "partially_refunded",
    "refunded",
    "disputed",
)
_REFUND_FORWARD = ("pending", "succeeded", "canceled", "failed")


@dataclass(frozen=True)
class NewPayment:
    """What is known of a payment before Stripe is asked. `amount` is in minor units."""

    id: UUID
    order_id: str
    email: str | None
    amount: int
    currency: str
    idempotency_key: str


@dataclass(frozen=True)
class KnownPayment:
    """A payment as the ledger has it now."""

    id: UUID
    status: str
    processor_ref: str | None
    failure_code: str | None


def connect(dsn: str) -> Connection:
    """A connection for one request: a database that comes back is simply there again."""
    return psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=2,
        application_name="merchant",
        options="-c statement_timeout=5000 -c lock_timeout=3000",
    )


def insert(connection: Connection, new: NewPayment) -> bool:
    """Write the pending row; False when this idempotency key has one already."""
    cursor = connection.execute(
        """
        INSERT INTO payments (id, order_id, customer_email, amount, currency, idempotency_key)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (idempotency_key) DO NOTHING
        """,
        (new.id, new.order_id, new.email, new.amount, new.currency, new.idempotency_key),
    )
    return cursor.rowcount == 1


def by_idempotency_key(connection: Connection, key: str) -> KnownPayment | None:
    """The payment that was begun with this idempotency key."""
    row = connection.execute(
        "SELECT id, status, processor_ref, failure_code FROM payments WHERE idempotency_key = %s",
        (key,),
    ).fetchone()
    return KnownPayment(*row) if row else None


def find(connection: Connection, intent: str, payment_id: UUID | None) -> UUID | None:
    """The payment of a PaymentIntent: by its reference, or by the id in its metadata."""
    row = connection.execute(
        """
        SELECT id FROM payments
        WHERE processor_ref = %(intent)s OR (id = %(id)s AND processor_ref IS NULL)
        ORDER BY processor_ref IS NULL LIMIT 1
        """,
        {"intent": intent, "id": payment_id},
    ).fetchone()
    return row[0] if row else None


def move(
    connection: Connection,
    payment_id: UUID,
    status: str,
    *,
    intent: str | None = None,
    failure_code: str | None = None,
    failure_message: str | None = None,
) -> None:
    """Move a payment forward to `status`; nothing happens when it is there or further on.

    `intent` becomes its `processor_ref`, if it has none. A payment whose refund was heard of first
    still gets its `completed_at` when the success is heard of.
    """
    connection.execute(
        """
        UPDATE payments
        SET status = CASE WHEN array_position(%(forward)s::text[], status)
                             < array_position(%(forward)s::text[], %(status)s)
                          THEN %(status)s ELSE status END,
            processor_ref = coalesce(processor_ref, %(intent)s),
            failure_code = %(failure_code)s,
            failure_message = %(failure_message)s,
            completed_at = CASE WHEN %(status)s = 'succeeded' THEN coalesce(completed_at, now())
                                ELSE completed_at END,
            updated_at = now()
        WHERE id = %(id)s
          AND (array_position(%(forward)s::text[], status)
                 < array_position(%(forward)s::text[], %(status)s)
               OR (%(status)s = 'succeeded' AND completed_at IS NULL))
        """,
        {
            "forward": list(FORWARD),
            "status": status,
            "intent": intent,
            "failure_code": failure_code,
            "failure_message": failure_message,
            "id": payment_id,
        },
    )


def overwrite(connection: Connection, payment_id: UUID, status: str) -> None:
    """Set a status that the ledger has a word for, whatever was there: a shop without order."""
    if status in FORWARD:
        connection.execute(
            "UPDATE payments SET status = %s, updated_at = now() WHERE id = %s",
            (status, payment_id),
        )


def note(
    connection: Connection,
    payment_id: UUID,
    *,
    intent: str | None = None,
    failure_code: str | None = None,
    failure_message: str | None = None,
) -> None:
    """Write down Stripe's reference, or why its answer is not known; the status stays."""
    connection.execute(
        """
        UPDATE payments
        SET processor_ref = coalesce(processor_ref, %(intent)s),
            failure_code = coalesce(%(failure_code)s, failure_code),
            failure_message = coalesce(%(failure_message)s, failure_message),
            updated_at = now()
        WHERE id = %(id)s
          AND (processor_ref IS DISTINCT FROM coalesce(processor_ref, %(intent)s)
               OR (%(failure_code)s::text IS NOT NULL AND status = 'pending'))
        """,
        {
            "intent": intent,
            "failure_code": failure_code,
            "failure_message": failure_message,
            "id": payment_id,
        },
    )


def record_refund(connection: Connection, payment_id: UUID, refund: dict[str, Any]) -> None:
    """Write or update the row of a refund as Stripe describes it; its status moves forward only."""
    status = refund["status"] if refund["status"] in _REFUND_FORWARD else "pending"
    connection.execute(
        """
        INSERT INTO refunds AS known
          (id, payment_id, processor_ref, amount, currency, status, reason, created_at)
        VALUES (gen_random_uuid(), %(payment)s, %(ref)s, %(amount)s, %(currency)s, %(status)s,
                %(reason)s, to_timestamp(%(created)s))
        ON CONFLICT (processor_ref) DO UPDATE
        SET status = excluded.status, updated_at = now()
        WHERE array_position(%(forward)s::text[], known.status)
            < array_position(%(forward)s::text[], excluded.status)
        """,
        {
            "payment": payment_id,
            "ref": refund["id"],
            "amount": refund["amount"],
            "currency": refund["currency"],
            "status": status,
            "reason": refund.get("reason"),
            "created": refund["created"],
            "forward": list(_REFUND_FORWARD),
        },
    )
