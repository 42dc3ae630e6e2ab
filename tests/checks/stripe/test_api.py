"""Does Stripe's API answer, and does it accept our key?"""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.stripe.api import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.stripe import Answer
from payops.sources.stripe_objects import Account
from tools import (
    NOW,
    Raises,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
    settings,
)

SECRET = "sk_test_" + "51HabcDEF" * 3
RESTRICTED = SECRET.replace("sk_", "rk_")
KEY = "sk_test_…cDEF (sha256 12345678)"


def facts(latency_ms: float = 120, **more: Any) -> Facts:
    return Facts(NOW, latency_ms, KEY, request_id="req_1", **more)


@pytest.mark.parametrize(
    ("latency_ms", "overrides", "status"),
    [
        (120, {}, "OK"),
        (2500, {}, "OK"),
        (2500.1, {}, "WARN"),
        (5000, {}, "WARN"),
        (5000.1, {}, "CRIT"),
        (900, {"latency": {"warn": "800ms", "crit": "1s"}}, "WARN"),
        (9000, {"latency": {"crit": None}}, "WARN"),
        (9000, {"latency": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_around_each_limit(latency_ms: float, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(latency_ms, account="acct_1"), **overrides)
    assert_is(status, result, "answers in", "account acct_1")
    assert bool(result.actions) == (status != "OK")
    assert result.measured["request_id"] == "req_1"


def test_a_key_that_is_refused() -> None:
    result = judged(CHECK, facts(refused="GET /v1/account: HTTP 401: Expired API Key"))
    assert_crit(result, "Stripe answers, but refuses the key", KEY, "every payment with it fails")
    assert "Expired API Key" in result.evidence[0].what
    assert result.actions[0].command == "payops config show"


def test_a_restricted_key_is_valid() -> None:
    assert_ok(judged(CHECK, facts(restricted=True)), "a restricted key, valid")


def test_a_secret_key_that_is_forbidden_is_no_restricted_one() -> None:
    result = judged(CHECK, facts(forbidden="not from this IP address"))
    assert_warn(result, "forbids", KEY, "payments may fail too")
    assert result.evidence[0].what == "not from this IP address"


@pytest.mark.parametrize(
    ("environment", "key", "status"),
    [
        ("production", SECRET, "CRIT"),
        ("Prod", RESTRICTED, "CRIT"),
        ("production", SECRET.replace("test", "live"), "OK"),
        ("staging", SECRET, "OK"),
        ("production", "sk_51HabcDEF_test_51HabcDEF", "OK"),
    ],
)
def test_production_must_have_a_live_key(environment: str, key: str, status: str) -> None:
    configured = settings(environment=environment, stripe={"secret_key": key})
    result = judged(CHECK, gathered(CHECK, fake_context(configured, stripe=FakeStripe())))
    assert_is(status, result, *(["test key", environment] if status == "CRIT" else []))
    assert key not in repr(result)


class FakeStripe:
    """Knows its account."""

    def account(self) -> Answer[Account]:
        return Answer(Account("acct_9"), "req_9", 77.0, None)


def context(key: str, stripe: Any) -> Any:
    return fake_context(settings(environment="lab", stripe={"secret_key": key}), stripe=stripe)


def test_gather() -> None:
    found = gathered(CHECK, context(SECRET, FakeStripe()))
    assert (found.account, found.latency_ms, found.request_id) == ("acct_9", 77.0, "req_9")
    assert SECRET not in found.key
    assert found.key.startswith("sk_test_…")


@pytest.mark.parametrize(
    ("kind", "key", "status"),
    [
        (Failure.AUTHENTICATION, SECRET, "CRIT"),
        (Failure.AUTHENTICATION, RESTRICTED, "CRIT"),
        (Failure.PERMISSION, RESTRICTED, "OK"),
        (Failure.PERMISSION, SECRET, "WARN"),
    ],
)
def test_what_stripe_says_of_the_key(kind: Failure, key: str, status: str) -> None:
    found = gathered(CHECK, context(key, Raises(kind, "stripe", "GET /v1/account: no")))
    result = judged(CHECK, found)
    assert_is(status, result)
    assert key not in repr(result)
    assert found.request_id == "req_1"
    assert found.restricted == (kind is Failure.PERMISSION and key == RESTRICTED)


@pytest.mark.parametrize("kind", [Failure.TIMED_OUT, Failure.SERVER_ERROR, Failure.RATE_LIMITED])
def test_anything_else_is_for_the_runner(kind: Failure) -> None:
    with pytest.raises(SourceError):
        gathered(CHECK, context(SECRET, Raises(kind, "stripe")))


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
