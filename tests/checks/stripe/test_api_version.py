"""Does payops read Stripe in the version in which the account's events are made?"""

from __future__ import annotations

import pytest

from payops.checks.stripe.api_version import CHECK, Facts
from payops.errors import NotConfiguredError
from stripe_answers import FakeStripe, listed
from tools import NOW, assert_is, assert_ok, assert_warn, fake_context, gathered, judged, settings


@pytest.mark.parametrize(
    ("pinned", "events", "status", "word"),
    [
        ("", "", "OK", "none is pinned"),
        ("2024-06-20", "", "OK", "no event yet"),
        ("2024-06-20", "2024-06-20", "OK", "as the account's events"),
        ("2023-10-16", "2024-06-20", "WARN", "2023-10-16 is pinned"),
    ],
)
def test_each_case(pinned: str, events: str, status: str, word: str) -> None:
    assert_is(status, judged(CHECK, Facts(NOW, pinned, events)), word)


def test_gather_asks_only_where_one_is_pinned() -> None:
    event = {"id": "evt_1", "type": "x", "created": 1, "api_version": "2024-06-20"}
    stripe = FakeStripe({"/v1/events": listed(event)})
    free = settings(stripe={"secret_key": "sk_test_x"})
    assert_ok(judged(CHECK, gathered(CHECK, fake_context(free, stripe=stripe))))
    assert stripe.calls == 0
    pinned = settings(stripe={"secret_key": "sk_test_x", "api_version": "2020-08-27"})
    found = gathered(CHECK, fake_context(pinned, stripe=stripe))
    assert stripe.asked == [("/v1/events", {"limit": 1})]
    assert_warn(judged(CHECK, found), "made in 2024-06-20")
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
