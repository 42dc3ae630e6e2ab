"""What is said of endpoints: configured, registered, answering."""

from __future__ import annotations

from typing import Any

import pytest

from payops.domain.status import Status
from payops.domain.webhook import Cause
from payops.webhooks.endpoints import Wanted, remarks
from payops.webhooks.path import Endpoint
from webhooks.paths import URL, asked, endpoint


def said(*endpoints: Endpoint, **given: Any) -> list[tuple[str, Status]]:
    wanted = Wanted(**{"urls": (URL,), **given})
    return [(each.word, each.status) for each in remarks(wanted, endpoints)]


def test_all_is_well() -> None:
    assert said(endpoint(), needs=("charge.refunded",), api_version="", asked=asked()) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"enabled": False}, [("disabled", Status.CRIT)]),
        ({"types": ("charge.refunded",)}, [("types", Status.CRIT)]),
        ({"livemode": True}, [("mode", Status.CRIT)]),
        ({"api_version": "2020-08-27"}, [("version", Status.WARN)]),
    ],
)
def test_one_thing_is_wrong(changed: dict[str, Any], expected: list[tuple[str, Status]]) -> None:
    needs = ("payment_intent.succeeded",)
    assert said(endpoint(**changed), needs=needs, api_version="2024-06-20") == expected


def test_a_version_that_is_not_told_is_not_judged() -> None:
    assert said(endpoint(api_version=""), api_version="2024-06-20") == []
    assert said(endpoint(api_version="2020-08-27"), api_version="") == []


def test_no_endpoint_at_all() -> None:
    assert said() == [("none", Status.CRIT)]
    assert said(urls=()) == [("none", Status.WARN)]


def test_registered_by_another_name_is_named() -> None:
    """The slash that makes it a redirect."""
    found = remarks(Wanted((URL,)), [endpoint(URL + "/")])
    assert [each.word for each in found] == ["not-registered", "not-configured"]
    assert URL + "/" in found[0].said


def test_duplicates() -> None:
    twin = endpoint(id="we_2")
    assert ("duplicate", Status.WARN) in said(endpoint(), twin)
    assert said(endpoint(), endpoint(id="we_2", enabled=False)) == []


def test_somebody_elses_endpoint_is_not_held_to_our_needs() -> None:
    other = endpoint("https://crm.example.com/", id="we_2", types=("*",))
    ours = endpoint(types=("charge.refunded",))
    found = said(ours, other, needs=("payment_intent.succeeded",))
    assert ("types", Status.CRIT) in found
    assert ("not-configured", Status.WARN) in found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example.com/hook", "not https"),
        ("https://10.0.0.7/hook", "a private address"),
        ("https://staging.example.com/hook", "an address for tests, by its name"),
        ("https://a1b2.ngrok.io/hook", "an address for tests, by its name"),
    ],
)
def test_an_address_for_trials_in_live_mode(url: str, why: str) -> None:
    wanted = Wanted((url,), live=True, production=True)
    (found,) = remarks(wanted, [endpoint(url, livemode=True)])
    assert (found.word, found.status) == ("trial", Status.WARN)
    assert why in found.said


@pytest.mark.parametrize("url", ["https://shop.example.com/", "https://contest.example.com/x"])
def test_an_address_that_is_for_real(url: str) -> None:
    assert remarks(Wanted((url,), live=True, production=True), [endpoint(url, livemode=True)]) == []


def test_what_does_not_answer_is_critical() -> None:
    answers = asked(Cause.UNREACHABLE, "connection refused")
    assert said(endpoint(), asked=answers) == [("answer", Status.CRIT)]
