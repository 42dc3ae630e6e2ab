"""What Stripe's status page says."""

from __future__ import annotations

import pytest

from payops.checks.stripe.status_page import CHECK, Facts
from payops.errors import Failure, NotConfiguredError
from payops.sources.http import StatusPage
from tools import NOW, Raises, assert_is, fake_context, gathered, judged, settings

STRIPE = {"secret_key": "sk_test_x"}


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        (Facts(NOW, "up", "All systems go"), "OK", "Stripe says: All systems go"),
        (Facts(NOW, "up"), "OK", "Stripe says: up"),
        (Facts(NOW, "degraded", "Elevated errors"), "WARN", "Elevated errors"),
        (Facts(NOW, "down", "x" * 5000), "CRIT", "Stripe says: xxx"),
        (Facts(NOW, "unknown"), "UNKNOWN", "a form that payops does not know"),
        (Facts(NOW, "sideways", "?"), "UNKNOWN", "a form that payops does not know"),
        (Facts(NOW, "unknown", failure="timed out: x"), "UNKNOWN", "it says nothing of Stripe"),
    ],
)
def test_what_it_says(facts: Facts, status: str, words: str) -> None:
    result = judged(CHECK, facts)
    assert_is(status, result, words)
    assert bool(result.actions) == (status in ("WARN", "CRIT"))


def test_it_never_counts() -> None:
    assert CHECK.advisory


class FakeHttp:
    """A status page."""

    def status_page(self, url: str) -> StatusPage:
        assert url == "https://status.stripe.com/current"
        return StatusPage("degraded", "Slow", NOW)


def test_gather() -> None:
    found = gathered(CHECK, fake_context(settings(stripe=STRIPE), http=FakeHttp()))
    assert found == Facts(NOW, "degraded", "Slow")
    found = gathered(CHECK, fake_context(settings(stripe=STRIPE), http=Raises(Failure.DNS)))
    assert found.failure == "name not resolved: down"


@pytest.mark.parametrize("sections", [{}, {"stripe": {**STRIPE, "status_url": ""}}])
def test_nothing_to_ask(sections: dict[str, object]) -> None:
    with pytest.raises(NotConfiguredError, match="status_url"):
        gathered(CHECK, fake_context(settings(**sections), http=FakeHttp()))
