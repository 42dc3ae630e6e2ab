"""Ireti POS Light: a till. Django and Postgres, no Redis, no queue, an event log without attempts.

Facts: public repository hartou/ireti-pos-light-ce, main at 9edb794 (2025-11-23).
"""

from __future__ import annotations

from payops.lab.history.style import Style
from payops.lab.merchant.answer import Answer
from payops.lab.systems.ireti_pos.rows import LOGGED, metadata, no_key, refund_metadata, tables
from payops.lab.systems.system import Front, System

_OPEN = {"status": "pending", "stripe_status": "requires_action", "processed_at": None}

SYSTEMS = (
    System(
        name="ireti-pos",
        preset="ireti-pos",
        package=__name__,
        schema=("schema.sql",),
        style=Style(
            currencies=("usd",),
            # A dispute is stored nowhere; a failed authentication makes no charge, and the one
            # event that tells of it cannot be stored (`status` is too short for its word).
            without=frozenset({"DISPUTED", "AUTHENTICATION_FAILED"}),
            idempotency_key=no_key,
            metadata=metadata,
            refund_metadata=refund_metadata,
            customers="none",
            described=False,
        ),
        tables=tables,
        front=Front(
            webhook="/payments/webhook/",
            health="/user/login/",
            received=Answer(200, {"success": True}),
            repeated=Answer(200, {"success": True, "message": "already_processed"}),
            refused=Answer(400, {"error": "invalid_signature"}),
            unsigned=Answer(400, {"error": "missing_signature"}),
            events=LOGGED,
        ),
        uses_redis=False,
        stuck=_OPEN,
        unheard={
            "payment_intent.canceled": _OPEN,
            "charge.failed": {**_OPEN, "failure_reason": None},
            "payment_intent.succeeded": _OPEN,
        },
        waiting={"processed": False, "processed_at": None},
        broken={
            "processed": False,
            "processed_at": None,
            "processing_error": "DataError: value too long for type character varying(20)",
        },
        payload="event_data",
        unhandled={"processed": False, "processed_at": None},
        unmoved=frozenset(
            {
                "circuit.state",
                "redis.connect",
                "payments.failing-customers",
                "payments.velocity",
            }
        ),
    ),
)
