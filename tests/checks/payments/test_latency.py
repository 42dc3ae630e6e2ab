"""How long does a payment take, from its making to its completion?"""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.payments.latency import CHECK, Facts
from payops.errors import NotConfiguredError
from stripe_answers import FakeStripe, listed
from tools import LEDGER, NOW, assert_is, assert_ok, fake_context, gathered, judged, settings


def facts(average: float, p95: float, count: int = 100) -> Facts:
    return Facts(NOW, 3600, "postgres", count, average, average, p95, p95)


@pytest.mark.parametrize(
    ("average", "p95", "count", "status"),
    [
        (2, 5, 100, "OK"),
        (2, 5.1, 100, "WARN"),
        (2, 10, 100, "WARN"),
        (2, 10.1, 100, "CRIT"),
        (5, 5, 100, "OK"),
        (5.1, 5, 100, "WARN"),
        (10.1, 5, 100, "CRIT"),
        (2, 99, 10, "CRIT"),
        (2, 99, 9, "OK"),  # the slowest of nine is no percentile
        (6, 99, 9, "WARN"),
    ],
)
def test_around_each_limit(average: float, p95: float, count: int, status: str) -> None:
    result = judged(CHECK, facts(average, p95, count))
    assert_is(status, result, "on average", "at the 95th percentile")
    assert bool(result.actions) == (status != "OK")


def test_none_is_nothing_to_judge() -> None:
    assert_ok(judged(CHECK, Facts(NOW, 3600, "postgres", 0)), "nothing to judge")


def test_gather_takes_stripe_s_charges_where_the_ledger_has_no_time() -> None:
    made = int(NOW.timestamp()) - 600

    def intent(number: int, took: int | None, status: str = "succeeded") -> dict[str, Any]:
        charge = {"id": f"ch_{number}", "created": made + took} if took is not None else None
        return {
            "id": f"pi_{number}",
            "amount": 5,
            "currency": "usd",
            "created": made,
            "status": status,
            "latest_charge": charge,
        }

    rows = [*(intent(n, n) for n in range(1, 11)), intent(11, None), intent(12, 99, "canceled")]
    rows.append({**intent(13, None), "latest_charge": "ch_13"})
    stripe = FakeStripe({"/v1/payment_intents": listed(*rows)})
    configured = settings(ledgers={"payments": LEDGER})
    found = gathered(CHECK, fake_context(configured, stripe=stripe))
    assert (found.source, found.count, found.average) == ("stripe", 10, 5.5)
    assert (found.median, found.p95, found.longest) == (5, 10, 10)
    result = judged(CHECK, found)
    assert_is("WARN", result, "by Stripe's charges")
    assert result.source == "stripe"
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(configured))
