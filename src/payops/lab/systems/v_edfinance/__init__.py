"""V-EdFinance: courses sold in whole dong, by Checkout Sessions; two generations of tables.

Facts: public repository Luahoa/v-edfinance, main at d8284dd (2026-02-01).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from payops.lab.history import Ending, History
from payops.lab.history.style import Style, no_metadata
from payops.lab.history.table import Table
from payops.lab.merchant.answer import Answer
from payops.lab.systems.system import Front, System
from payops.lab.systems.v_edfinance.rows import (
    course_price,
    drizzle_tables,
    no_key,
    prisma_tables,
    session_metadata,
)

_STYLE = Style(
    currencies=("vnd",),
    # A sale that is declined, given up or canceled stays PROCESSING for ever, a partial refund is
    # stored as a whole one, a dispute nowhere: so only sales that were paid are told.
    without=frozenset(
        ending.name
        for ending in Ending
        if ending not in (Ending.SUCCEEDED, Ending.THREE_D_SECURE, Ending.REFUNDED)
    ),
    declines_of_late=False,
    charged=course_price,
    idempotency_key=no_key,
    metadata=no_metadata,
    refund_metadata=no_metadata,
    sessions=True,
    session_metadata=session_metadata,
    # The login token carries no customer, so that every checkout makes another one.
    customers="each time",
    described=False,
)
_FRONT = Front(
    webhook="/payment/webhook",
    health="/",
    received=Answer(201, {"received": True}),
    refused=Answer(400, {"message": "Invalid webhook signature", "statusCode": 400}),
    unsigned=Answer(400, {"message": "Missing stripe-signature header", "statusCode": 400}),
    healthy=Answer(200, {"message": "Hello World!"}),
)
_OPEN = {"status": "PROCESSING", "stripePaymentIntentId": None, "completedAt": None}


def _shape(name: str, file: str, tables: Callable[[History], Iterator[Table]]) -> System:
    return System(
        name=name,
        preset="v-edfinance",
        package=__name__,
        schema=(file,),
        style=_STYLE,
        tables=tables,
        front=_FRONT,
        api_version="2025-12-15.clover",
        success="checkout.session.completed",
        unheard={
            "charge.refunded": {"status": "COMPLETED", "refundedAt": None, "metadata": None},
            "checkout.session.completed": _OPEN,
        },
        stuck=_OPEN,
        unmoved=frozenset({"circuit.state"}),
        asked_of_stripe=frozenset({"payments.declines", "payments.requires-action"}),
    )


SYSTEMS = (
    _shape("v-edfinance", "schema.sql", prisma_tables),
    _shape("v-edfinance-drizzle", "drizzle.sql", drizzle_tables),
)
