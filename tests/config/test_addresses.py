"""Addresses in the configuration: what is secret in them, and where a key may be sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from payops.config.key_forms import refuse_wrong_keys
from payops.config.load import read
from payops.config.settings import Settings
from payops.domain.secret import MASK, redact
from payops.errors import ConfigError
from tools import settings

Written = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('app: {endpoints: [{url: "https://h.test/health?token=canary71"}]}', "canary71"),
        ('app: {endpoints: [{url: "https://h.test/?sig=${CANARY}"}]}', "canary72"),
        ('webhooks: {endpoints: [{url: "https://u:canary73@h.test/"}]}', "canary73"),
        ('stripe: {secret_key: sk_test_x, status_url: "https://h.test/?key=canary74"}', "canary74"),
    ],
)
def test_what_an_address_holds_is_redacted_everywhere(
    text: str, secret: str, written: Written
) -> None:
    assert secret in redact(f"it said {secret}")
    read(written(text), {"CANARY": "canary72"})
    assert redact(f"it said {secret}") == f"it said {MASK}"


def stripe(key: str, api_base: str) -> Settings:
    made: Settings = settings(stripe={"secret_key": key, "api_base": api_base})
    return made


@pytest.mark.parametrize("host", ["proxy.test:8080", "10.0.0.7", "127.evil.test", "[fe80::1]:80"])
def test_a_live_key_is_never_sent_in_clear(host: str) -> None:
    for key in ("sk_live_x", "rk_live_x"):
        with pytest.raises(ConfigError, match="https only") as caught:
            stripe(key, f"http://{host}/")
        assert caught.value.path == "stripe.api_base"
        assert stripe(key, f"https://{host}").stripe
    assert stripe("sk_test_x", f"http://{host}").stripe  # a mock of the CI's


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8000", "127.8.9.1"])
def test_a_simulator_of_this_machine_may_be_asked_with_a_live_key(host: str) -> None:
    assert stripe("sk_live_x", f"http://{host}").stripe


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc\r", "blanks or a line break"),
        (" sk_test_4eC39HqLyjWDarjtT1zdp7dc", "blanks or a line break"),
        ("sk_test_…4242", "copied whole"),
        ("sk_test_4eC39HqLyjWDarjt\ny: z", "copied whole"),
        ('"sk_test_4eC39HqLyjWDarjtT1zdp7dc"', "in quotes"),
        ("pk_test_4eC39HqLyjWDarjtT1zdp7dc", "publishable key where a secret or restricted"),
        ("whsec_4eC39HqLyjWDarjtT1zdp7dc4242", "webhook secret key where"),
        ("hello", "no key of Stripe's"),
    ],
)
def test_what_cannot_be_a_key_is_loaded_and_refused_without_being_shown(
    key: str, what: str
) -> None:
    loaded = stripe(key, "https://h.test")
    with pytest.raises(ConfigError, match=what) as caught:
        refuse_wrong_keys(loaded)
    assert caught.value.path == "stripe.secret_key"
    assert "4eC39" not in str(caught.value)
    assert "hello" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk_test_4eC39HqLyjWDarjtT1zdp7dc", "sk_test_x", "rk_live_x"])
def test_what_may_be_a_key_is_not_refused(key: str) -> None:
    refuse_wrong_keys(stripe(key, "https://h.test"))


def test_a_live_key_in_quotes_is_a_live_key() -> None:
    with pytest.raises(ConfigError, match="https only"):
        stripe("'sk_live_x'", "http://proxy.test")
