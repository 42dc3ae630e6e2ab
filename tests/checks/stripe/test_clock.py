"""Is this machine's clock Stripe's?"""

from __future__ import annotations

import pytest

from payops.checks.stripe.clock import CHECK, Facts
from payops.errors import NotConfiguredError
from stripe_answers import FakeStripe
from tools import NOW, assert_crit, assert_is, assert_ok, fake_context, gathered, judged


@pytest.mark.parametrize(
    ("skew_s", "status", "word"),
    [
        (0.4, "OK", "within a second"),
        (30, "OK", "ahead of Stripe's"),
        (30.1, "WARN", "ahead of"),
        (-30.1, "WARN", "behind"),
        (300, "WARN", "refused at 5 min"),
        (-300.1, "CRIT", "behind Stripe's; a signature is refused"),
    ],
)
def test_around_each_limit(skew_s: float, status: str, word: str) -> None:
    result = judged(CHECK, Facts(NOW, skew_s))
    assert_is(status, result, word)
    assert bool(result.actions) == (status != "OK")


@pytest.mark.parametrize("ahead_s", [-400, 0, 400])
def test_gather_compares_the_date(ahead_s: float) -> None:
    found = gathered(CHECK, fake_context(stripe=FakeStripe(ahead_s=ahead_s)))
    assert found.skew_s == pytest.approx(-ahead_s - 0.5, abs=0.1)
    result = judged(CHECK, found)
    (assert_crit if ahead_s else assert_ok)(result)


def test_no_date_at_all() -> None:
    with pytest.raises(NotConfiguredError, match="no Date"):
        gathered(CHECK, fake_context(stripe=FakeStripe(dated=False)))
