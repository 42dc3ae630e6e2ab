"""How fast does Stripe answer us, over several cheap calls?"""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.stripe.latency import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from stripe_answers import FakeStripe
from tools import NOW, assert_is, assert_ok, fake_context, gathered, judged


@pytest.mark.parametrize(
    ("calls", "overrides", "status"),
    [
        ((20, 30, 40), {}, "OK"),
        ((20, 30, 2500), {}, "OK"),
        ((20, 30, 2500.1), {}, "WARN"),
        ((20, 30, 5000), {}, "WARN"),
        ((20, 30, 5000.1), {}, "CRIT"),
        ((20, 1500, 1600), {}, "OK"),
        ((20, 1500.1, 1600), {}, "WARN"),
        ((20, 3000.1, 3000.2), {}, "CRIT"),
        ((2600,), {}, "WARN"),
        ((20, 30, 900), {"p95": {"warn": "800ms"}}, "WARN"),
    ],
)
def test_around_each_limit(
    calls: tuple[float, ...], overrides: dict[str, Any], status: str
) -> None:
    result = judged(CHECK, Facts(NOW, calls, ("req_1",) * len(calls)), **overrides)
    assert_is(status, result, "at the median")
    assert bool(result.actions) == (status != "OK")
    assert len(result.evidence) == (len(calls) if status != "OK" else 0)


def test_gather_asks_three_cheap_questions_once() -> None:
    stripe = FakeStripe(ms={"/v1/balance": 70})
    ctx = fake_context(stripe=stripe)
    found = gathered(CHECK, ctx)
    assert found.calls_ms == (20, 70, 20)
    assert gathered(CHECK, ctx) == found
    assert [path for path, _ in stripe.asked] == ["/v1/account", "/v1/balance", "/v1/payouts"]
    assert_ok(judged(CHECK, found), "3 calls took 20 ms at the median, 70 ms")


def test_what_the_key_may_not_read_is_left_out() -> None:
    stripe = FakeStripe({"/v1/account": Failure.PERMISSION, "/v1/payouts": Failure.PERMISSION})
    found = gathered(CHECK, fake_context(stripe=stripe))
    assert_ok(judged(CHECK, found), "1 calls" if len(found.calls_ms) != 1 else "1 call took")


def test_a_key_that_may_read_nothing_cheap_is_no_outage() -> None:
    paths = dict.fromkeys(("/v1/account", "/v1/balance", "/v1/payouts"), Failure.PERMISSION)
    with pytest.raises(NotConfiguredError, match="allow one of them"):
        gathered(CHECK, fake_context(stripe=FakeStripe(paths)))


@pytest.mark.parametrize(
    "kind", [Failure.DNS, Failure.TLS, Failure.TIMED_OUT, Failure.AUTHENTICATION]
)
def test_no_answer_is_the_runners_to_tell(kind: Failure) -> None:
    with pytest.raises(SourceError) as caught:
        gathered(CHECK, fake_context(stripe=FakeStripe({"/v1/balance": kind})))
    assert caught.value.kind is kind
