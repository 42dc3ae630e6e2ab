"""Is there room under Stripe's request limit?"""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.stripe.request_budget import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from stripe_answers import FakeStripe
from tools import NOW, assert_is, assert_warn, fake_context, gathered, judged, settings


@pytest.mark.parametrize(
    ("limited", "per_second", "allowed", "status"),
    [
        (0, 10, 25, "OK"),
        (0, 12.5, 25, "OK"),
        (0, 12.6, 25, "WARN"),
        (0, 50, 100, "OK"),
        (0, 25.1, 25, "CRIT"),
        (1, 10, 100, "WARN"),
        (3, 10, 100, "WARN"),
        (4, 10, 100, "CRIT"),
    ],
)
def test_around_each_limit(limited: int, per_second: float, allowed: int, status: str) -> None:
    result = judged(CHECK, Facts(NOW, per_second, allowed, calls=9, limited=limited))
    assert_is(status, result)
    assert bool(result.actions) == (status != "OK")


@pytest.mark.parametrize(("key", "allowed"), [("sk_live_x", 100), ("rk_test_x", 25)])
def test_gather_knows_the_mode(key: str, allowed: int) -> None:
    configured = settings(stripe={"secret_key": key, "max_requests_per_second": 7})
    found = gathered(CHECK, fake_context(configured, stripe=FakeStripe()))
    assert (found.allowed, found.per_second, found.calls) == (allowed, 7, 3)


def test_limited_to_the_last_try_is_the_finding() -> None:
    configured = settings(stripe={"secret_key": "sk_test_x"})
    stripe: Any = FakeStripe({"/v1/balance": Failure.RATE_LIMITED}, limited=5)
    found = gathered(CHECK, fake_context(configured, stripe=stripe))
    assert found.limited == 5
    stripe = FakeStripe({"/v1/balance": Failure.RATE_LIMITED}, limited=1)
    result = judged(CHECK, gathered(CHECK, fake_context(configured, stripe=stripe)))
    assert_warn(result, "answered 1 of 2 requests with 429", "payments may be refused too")


def test_nothing_else_is_hidden() -> None:
    configured = settings(stripe={"secret_key": "sk_test_x"})
    stripe = FakeStripe({"/v1/balance": Failure.SERVER_ERROR})
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(configured, stripe=stripe))
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
