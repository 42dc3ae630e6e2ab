"""Authorized payments that nobody has captured."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.checks.payments.captures import CHECK, Facts, Held
from payops.domain.money import Money
from payops.errors import Failure, NotConfiguredError
from stripe_answers import FakeStripe, listed
from tools import NOW, assert_is, assert_money, assert_ok, before, fake_context, gathered, judged

DAY = 86400


def held(left_s: float) -> Held:
    until = NOW + timedelta(seconds=left_s)
    return Held("pi_1", Money("usd", 900), until - timedelta(days=7), until)


@pytest.mark.parametrize(
    ("left_s", "status"),
    [
        (2 * DAY, "OK"),
        (2 * DAY - 1, "WARN"),
        (DAY, "WARN"),
        (DAY - 1, "CRIT"),
        (-5, "CRIT"),
    ],
)
def test_around_each_limit(left_s: float, status: str) -> None:
    result = judged(CHECK, Facts(NOW, (held(left_s), held(6 * DAY)), ()))
    assert_is(status, result, "2 authorizations held and not captured")
    assert_money(result, *(["9.00 USD (1)"] if status != "OK" else []))


def test_what_ran_out_already() -> None:
    result = judged(CHECK, Facts(NOW, (), (held(-60),), complete=False))
    assert_is("WARN", result, "1 authorization ran out in the last day", "older ones may be")
    assert_ok(judged(CHECK, Facts(NOW, (), ())), "nothing is held")


def event(kind: str, intent: str, days: float, **about: Any) -> dict[str, Any]:
    subject = {"id": intent, "object": "payment_intent", "amount_capturable": 900}
    if kind.startswith("charge"):
        subject = {"id": "ch_1", "object": "charge", "payment_intent": intent, "amount": 900}
    return {
        "id": f"evt_{intent}_{kind}",
        "type": kind,
        "created": int(before(days=days).timestamp()),
        "data": {"object": {**subject, "currency": "usd", **about}},
    }


def test_gather_leaves_out_what_came_to_an_end() -> None:
    capturable = "payment_intent.amount_capturable_updated"
    events = listed(
        event("charge.expired", "pi_lost", 0.5),
        event("charge.captured", "pi_taken", 1),
        event("payment_intent.canceled", "pi_canceled", 1),
        event("charge.expired", "pi_long_lost", 2),
        *(event(capturable, f"pi_{one}", 3) for one in ("a", "taken", "canceled", "lost")),
        event(capturable, "pi_b", 6),
        more=True,
    )
    stripe = FakeStripe({"/v1/events": events})
    found = gathered(CHECK, fake_context(stripe=stripe))
    assert [one.payment_intent for one in found.held] == ["pi_b", "pi_a"]
    assert [one.payment_intent for one in found.expired] == ["pi_lost"]
    assert found.held[0].until == before(days=-1)
    assert found.held[0].money == found.expired[0].money == Money("usd", 900)
    assert not found.complete
    assert capturable in stripe.asked[0][1]["types"]


def test_a_key_that_may_not_read_events() -> None:
    with pytest.raises(NotConfiguredError, match="'Events: read'"):
        gathered(CHECK, fake_context(stripe=FakeStripe({"/v1/events": Failure.PERMISSION})))
