"""Who takes a payment: the rules of the hybrid router, with the clock in them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from payops.config.load import settings_from
from payops.config.trace import Routing
from payops.domain.status import Status
from payops.trace.routing import RoutingFacts, connection_trouble, decide

ROUTING = settings_from({"preset": "bookedbarber"}).trace.routing
assert ROUTING is not None
RULES: Routing = ROUTING
TEN, EIGHT_PM = (datetime(2026, 2, 11, hour, tzinfo=UTC) for hour in (10, 20))
SQUARE = {"id": "1", "processor": "SQUARE", "status": "CONNECTED", "payments": "true"}
PAYPAL = {"id": "2", "processor": "paypal", "status": "connected", "payments": "true"}
BROKEN = {**SQUARE, "status": "ERROR", "last_error": "token expired", "errors": "3"}


def facts(mode: str, *connections: dict[str, Any], **changes: Any) -> RoutingFacts:
    base: dict[str, Any] = {
        "sale": {"id": "7", "owner": "3", "price": "75.00"},
        "owner": {"id": "3", "mode": mode, "commission_rate": "0.2"},
        "config": {"owner": "3", "mode": mode.upper(), "primary": "PAYPAL", "fallback": "true"},
        "connections": connections,
        "amount": Decimal("75.00"),
        "at": TEN,
    }
    return RoutingFacts(**{**base, **changes})


CASES: dict[str, tuple[RoutingFacts, str, str, Status]] = {
    "centralized": (facts("centralized", SQUARE), "platform", "", Status.OK),
    "decentralized, primary first": (
        facts("decentralized", SQUARE, PAYPAL), "outside", "paypal", Status.OK,
    ),
    "decentralized, the other": (facts("decentralized", SQUARE), "outside", "square", Status.OK),
    "decentralized without: raises": (facts("decentralized", BROKEN), "nobody", "", Status.CRIT),
    "hybrid by day": (facts("hybrid", SQUARE), "outside", "square", Status.OK),
    "hybrid in the evening": (facts("hybrid", SQUARE, at=EIGHT_PM), "platform", "", Status.OK),
    "hybrid, small": (
        facts("hybrid", SQUARE, amount=Decimal("49.99")), "platform", "", Status.OK,
    ),
    "hybrid, exactly the limit": (
        facts("hybrid", SQUARE, amount=Decimal("50.00")), "outside", "square", Status.OK,
    ),
    "hybrid at nine": (
        facts("hybrid", SQUARE, at=TEN.replace(hour=9)), "outside", "square", Status.OK,
    ),
    "hybrid at five": (facts("hybrid", SQUARE, at=TEN.replace(hour=17)), "platform", "", Status.OK),
    "hybrid falls back": (facts("hybrid", BROKEN), "platform", "", Status.WARN),
    "hybrid, no fallback": (
        facts("hybrid", config={"mode": "hybrid", "fallback": "false"}), "nobody", "", Status.CRIT,
    ),
    "no configuration": (facts("hybrid", SQUARE, config=None), "outside", "square", Status.WARN),
    "two modes": (
        facts("hybrid", SQUARE, config={"mode": "centralized", "fallback": "true"}),
        "outside", "square", Status.WARN,
    ),
    "no such barber": (facts("hybrid", owner=None), "nobody", "", Status.CRIT),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_decision(name: str) -> None:
    given, takes, processor, status = CASES[name]
    found = decide(given, RULES)
    assert (found.takes, found.processor, found.status) == (takes, processor, status)
    assert found.reasons


def test_what_the_platform_keeps() -> None:
    found = decide(facts("centralized", amount=Decimal("33.33")), RULES)
    assert (found.commission, found.owner_gets) == (Decimal("6.67"), Decimal("26.66"))
    outside = decide(facts("decentralized", SQUARE), RULES)
    assert (outside.commission, outside.owner_gets) == (None, None)


def test_a_decision_that_was_not_kept_is_said() -> None:
    found = decide(facts("decentralized", SQUARE, by_platform=True), RULES)
    assert "and yet the platform's own Stripe account has it" in found.reasons


def test_what_keeps_a_connection_from_taking_payments() -> None:
    assert connection_trouble(PAYPAL, RULES) == []
    trouble = connection_trouble(
        {
            **BROKEN,
            "payments": "false",
            "webhook_url": "https://x/api/v1/webhooks/external-payment/square",
        },
        RULES,
    )
    assert len(trouble) == 4
    assert "token expired" in trouble[0]
