"""Keys as they are configured: form, mode, presence; nobody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.keys.configured import CHECK
from payops.domain.result import CheckResult
from payops.errors import NotConfiguredError
from tools import assert_crit, assert_ok, assert_warn, fake_context, gathered, judged, settings

BODY = "4eC39HqLyjWDarjtT1zdp7dc"
WEBHOOK = "whsec_" + BODY


def said(environment: str = "lab", endpoints: int = 0, **stripe: Any) -> CheckResult:
    given = {"secret_key": "sk_test_" + BODY, "webhook_secrets": [WEBHOOK], **stripe}
    hooks = {"endpoints": [{"url": f"https://h.test/{n}"} for n in range(endpoints)]}
    configured = settings(environment=environment, stripe=given, webhooks=hooks)
    return judged(CHECK, gathered(CHECK, fake_context(configured)))


def test_keys_that_can_be_keys() -> None:
    assert_ok(said(), "2 well-formed", "test mode in lab")
    assert_ok(said(publishable_key="pk_test_" + BODY, endpoints=1), "3 well-formed")
    assert_ok(said("production", secret_key="rk_live_" + BODY), "live mode in production")


@pytest.mark.parametrize(
    ("environment", "stripe", "words"),
    [
        ("production", {}, ("stripe.secret_key", "is a test key")),
        ("staging", {"secret_key": "sk_live_" + BODY}, ("is a live key", "staging")),
        ("lab", {"publishable_key": "pk_live_" + BODY}, ("stripe.publishable_key", "live key")),
        ("lab", {"secret_key": "hello"}, ("is no key of Stripe's",)),
        ("lab", {"secret_key": "pk_test_" + BODY}, ("is a publishable where a secret",)),
        ("lab", {"secret_key": WEBHOOK}, ("is a webhook secret where",)),
        ("lab", {"secret_key": f"'sk_test_{BODY}'"}, ("in quotes",)),
        ("lab", {"secret_key": f"sk_test_{BODY}\n"}, ("line break around",)),
        ("lab", {"secret_key": "sk_test_changeme"}, ("placeholder",)),
        ("lab", {"webhook_secrets": ["whsec_changeme"]}, ("stripe.webhook_secrets", "placeholder")),
        ("lab", {"webhook_secrets": ["sk_test_" + BODY]}, ("is a secret where a webhook secret",)),
    ],
)
def test_what_cannot_be_one(environment: str, stripe: dict[str, Any], words: tuple[str]) -> None:
    result = said(environment, **stripe)
    assert_crit(result, *words)
    assert BODY not in str(result)
    assert "hello" not in str(result)


def test_each_is_told() -> None:
    result = said("production", publishable_key="pk_test_" + BODY)
    assert_crit(result, "and 1 more")
    assert len(result.evidence) == 2


def test_an_endpoint_without_any_secret() -> None:
    assert_warn(said(endpoints=1, webhook_secrets=[]), "no webhook secret")
    assert_ok(said(webhook_secrets=[]))


def test_an_endpoints_own_secret_counts() -> None:
    hooks = {"endpoints": [{"url": "https://h.test", "secret": "whsec_changeme"}]}
    configured = settings(
        environment="lab", stripe={"secret_key": "sk_test_" + BODY}, webhooks=hooks
    )
    result = judged(CHECK, gathered(CHECK, fake_context(configured)))
    assert_crit(result, "webhooks.endpoints[0].secret is a placeholder")


def test_without_stripe_there_are_none() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(settings()))
