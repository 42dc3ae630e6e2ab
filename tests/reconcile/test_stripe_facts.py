"""Stripe's side of a finding, in the values that a fix may take."""

from __future__ import annotations

from typing import Any

import pytest

from payops.domain.money import Money
from payops.reconcile.report import stripe_facts

ROW: dict[str, Any] = {
    "book": "payments",
    "class": "status_mismatch",
    "id": "pi_1",
    "is_session": False,
    "key": "7",
    "word": "succeeded",
    "charge": "ch_1",
    "refund": "re_1",
    "refund_id": None,
    "refunds": 1,
    "amount": 1000,
    "took": 900,
    "given": 400,
    "stripe_currency": "usd",
    "stripe_us": 0,
    "true_state": "paid",
}


@pytest.mark.parametrize(
    ("more", "minor"),
    [
        ({}, 900),
        ({"took": None}, 1000),
        ({"true_state": "part_refunded"}, 400),
        ({"true_state": "refunded", "given": 900, "refunds": 2}, 900),
        ({"class": "amount_mismatch", "true_state": "part_refunded"}, 900),
        ({"class": "refund_missing", "true_state": "part_refunded"}, 400),
        # Of several refunds nobody can say which is missing.
        ({"class": "refund_missing", "true_state": "part_refunded", "refunds": 2}, 900),
        ({"book": "refunds", "class": "refund_missing", "refund_id": "re_1", "amount": 300}, 300),
    ],
)
def test_the_amount_that_is_to_be_recorded(more: dict[str, Any], minor: int) -> None:
    assert stripe_facts({**ROW, **more}, ()).amount == Money("usd", minor)
