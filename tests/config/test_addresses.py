"""Addresses in the configuration: what is secret in them, and where a key may be sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from payops.config.load import read
from payops.domain.secret import MASK, redact

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
