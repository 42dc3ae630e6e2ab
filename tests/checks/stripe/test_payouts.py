"""Do payouts reach the bank?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.checks.stripe.payouts import CHECK, Facts, Paid
from payops.domain.money import Money
from stripe_answers import FakeStripe, listed
from tools import (
    NOW,
    assert_is,
    assert_money,
    assert_ok,
    assert_warn,
    before,
    fake_context,
    gathered,
    judged,
)

DAY = 86400


def payout(status: str, days: float = 1, currency: str = "usd", **more: Any) -> Paid:
    moment = before(days=days)
    given = {"arrival": moment, **more}
    return Paid(f"po_{status}", Money(currency, 5000), status, moment, **given)


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], "OK"),
        (["paid"], "OK"),
        (["failed"], "WARN"),
        (["failed", "failed"], "CRIT"),
        (["paid", "failed", "failed"], "OK"),  # the bank account was put right since
        (["failed", "paid", "failed"], "WARN"),
        (["canceled"], "OK"),
    ],
)
def test_what_failed_since_one_was_paid(statuses: list[str], status: str) -> None:
    result = judged(CHECK, Facts(NOW, tuple(payout(one) for one in statuses)))
    assert_is(status, result)
    assert bool(result.actions) == (status != "OK")
    assert_money(result, *([f"{50 * c:.2f} USD ({c})"] if (c := result.measured["failed"]) else []))


def test_another_currencys_payout_puts_nothing_right() -> None:
    both = (payout("paid", 1, "eur"), payout("failed", 2, why="account_closed: gone"))
    assert_warn(judged(CHECK, Facts(NOW, both)), "50.00 USD", "(account_closed: gone)")


@pytest.mark.parametrize(
    ("late_s", "status"), [(-9, "OK"), (5 * DAY, "OK"), (5 * DAY + 1, "WARN"), (30 * DAY, "WARN")]
)
def test_around_the_day_of_arrival(late_s: float, status: str) -> None:
    one = payout("in_transit", 6, arrival=NOW - timedelta(seconds=late_s))
    assert_is(status, judged(CHECK, Facts(NOW, (one,))))


def test_gather_leaves_out_what_is_old() -> None:
    now = int(NOW.timestamp())
    rows = [
        {"id": f"po_{n}", "amount": 700, "currency": "usd", "status": "failed", "created": when}
        for n, when in enumerate((now - DAY, now - 15 * DAY))
    ]
    rows[0] |= {"failure_code": "no_account", "failure_message": "none", "arrival_date": now}
    found = gathered(CHECK, fake_context(stripe=FakeStripe({"/v1/payouts": listed(*rows)})))
    assert [(one.id, one.why) for one in found.payouts] == [("po_0", "no_account: none")]
    assert_ok(judged(CHECK, Facts(NOW, ())), "no payout in 14 d")
