"""Does Stripe's name resolve, and does its certificate verify here?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from payops.checks.stripe.tls import CHECK
from payops.errors import Failure, NotConfiguredError, SourceError
from tools import assert_crit, fake_context, gathered, judged, settings


def http(proxied: bool = False) -> Any:
    def tls(host: str, port: int, timeout: float) -> None:
        raise SourceError("http", Failure.DNS, f"{host} does not resolve")

    return SimpleNamespace(tls=tls, proxied=lambda url: proxied)


def test_a_name_that_does_not_resolve() -> None:
    configured = settings(stripe={"secret_key": "sk_test_x"})
    result = judged(CHECK, gathered(CHECK, fake_context(configured, http=http())))
    assert_crit(result, "no certificate of api.stripe.com:443: name not resolved")


@pytest.mark.parametrize(
    ("stripe", "proxied", "why"),
    [
        ({"secret_key": "x", "api_base": "http://127.0.0.1:1"}, False, "a simulator"),
        ({"secret_key": "x"}, True, "through a proxy"),
    ],
)
def test_what_cannot_be_seen(stripe: dict[str, str], proxied: bool, why: str) -> None:
    with pytest.raises(NotConfiguredError, match=why):
        gathered(CHECK, fake_context(settings(stripe=stripe), http=http(proxied)))
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(http=http()))
