"""The budget of a trace: whatever Stripe answers, and however often it has to be asked again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from payops.errors import Failure, SourceError
from payops.sources.stripe import Answer
from payops.trace.reach import MOST_CALLS, Reach
from tools import NOW, FakeSources, settings


class Thing(Struct, frozen=True):
    id: str = "pi_1"


class Tiring:
    """A Stripe that wants to be asked so often before it answers each question."""

    def __init__(self, needs: list[int]) -> None:
        self.needs = needs
        self.calls = 0
        self.answered = 0

    def get(self, path: str, into: type[Any], *, tries: int, **params: Any) -> Answer[Any]:
        assert tries > 0
        needed = self.needs.pop(0) if self.needs else 1
        self.calls += min(needed, tries)
        if needed > tries:
            raise SourceError("stripe", Failure.RATE_LIMITED, "too many", http_status=429)
        self.answered += 1
        return Answer(into(), "req_1", 1.0, NOW)


def reach_of(stripe: Tiring) -> Reach:
    return Reach(settings(), FakeSources(stripe=stripe), NOW)  # type: ignore[arg-type]


def asked(reach: Reach, count: int) -> list[bool]:
    return [reach.stripe(f"question {n}", "/v1/x", Thing) is not None for n in range(count)]


@given(st.lists(st.integers(1, 5), max_size=30))
def test_no_answers_and_no_failures_cost_more_than_the_budget(needs: list[int]) -> None:
    stripe = Tiring(needs)
    reach = reach_of(stripe)
    answers = asked(reach, 20)
    assert stripe.calls <= MOST_CALLS
    assert reach.calls_left == MOST_CALLS - stripe.calls
    # Each question was answered, or is named with the reason.
    assert sum(answers) + len(reach.unseen) == 20
    assert sum(answers) == stripe.answered


def test_what_is_beyond_the_budget_is_said_and_the_next_payment_has_its_own() -> None:
    stripe = Tiring([])
    reach = reach_of(stripe)
    assert asked(reach, MOST_CALLS + 1) == [*[True] * MOST_CALLS, False]
    (unseen,) = reach.unseen
    assert unseen.what == f"question {MOST_CALLS}"
    assert f"not asked for: the {MOST_CALLS} requests" in unseen.why
    reach.begin()
    assert asked(reach, 1) == [True]
    assert reach.unseen == ()
