"""BookedBarber V2: barbers paid by the platform's Stripe account or by processors of their own.

Facts: public repository c50bossio/6fb-booking at 4636063 (2025-07-23). Two shapes: the tables as
its models build them, and as its migrations do.
"""

from __future__ import annotations

from functools import partial

from payops.lab.history.style import Style, no_metadata
from payops.lab.merchant.answer import Answer
from payops.lab.systems.bookedbarber.money import charged
from payops.lab.systems.bookedbarber.outside import BARBERS, connect_account
from payops.lab.systems.bookedbarber.rows import metadata, no_key, tables
from payops.lab.systems.system import Front, System

_STYLE = Style(
    currencies=("usd",),
    # A cancellation is not listened to, so the row would stay pending; a dispute finds its row by
    # a charge id that the row usually has not; why a payment failed is stored nowhere.
    without=frozenset({"CANCELED", "ABANDONED", "DISPUTED"}),
    declines_of_late=False,
    charged=charged,
    idempotency_key=no_key,
    metadata=metadata,
    refund_metadata=no_metadata,
    customers="none",
    described=False,
    accounts=tuple(connect_account(barber) for barber in BARBERS),
)
_NO_TOKEN = Answer(401, {"detail": "Not authenticated"})
_FRONT = Front(
    webhook="/api/v2/webhooks/stripe",
    health="/health",
    received=Answer(200, {"status": "success"}),
    refused=Answer(400, {"detail": "Missing stripe signature"}),
    checks_signature=False,  # any header will do
    healthy=Answer(200, {"status": "healthy"}),
    others={
        "/api/v2/hybrid-payments/test-routing": Answer(405, {"detail": "Method Not Allowed"}),
        "/api/v2/external-payments/connections": _NO_TOKEN,
        "/api/v2/platform-collections/stats/summary": _NO_TOKEN,
        "/api/v1/unified-payment-analytics/dashboard": _NO_TOKEN,
    },
)
_OPEN = {"status": "pending", "stripe_payment_id": None}


def _shape(name: str, schema: tuple[str, ...], *, upper: bool) -> System:
    return System(
        name=name,
        preset="bookedbarber",
        package=__name__,
        schema=schema,
        style=_STYLE,
        tables=partial(tables, upper=upper),
        front=_FRONT,
        # Refunds are made by the application itself, and no event tells it of one.
        unheard={
            "payment_intent.payment_failed": {"status": "pending"},
            "payment_intent.succeeded": _OPEN,
        },
        stuck=_OPEN,
        unmoved=frozenset({"circuit.state"}),
        asked_of_stripe=frozenset(
            {"payments.declines", "payments.latency", "payments.requires-action"}
        ),
    )


SYSTEMS = (
    _shape("bookedbarber", ("schema.sql",), upper=True),
    _shape("bookedbarber-migrated", ("schema.sql", "migrated.sql"), upper=False),
)
