"""Stripe's webhook signatures: `t=...,v1=...`, HMAC-SHA256 over `{t}.{raw body}`."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable

# Stripe's default, in seconds. A signature from the future is refused just the same here.
TOLERANCE_S = 300


def signed_with(secret: str, body: bytes, timestamp: int) -> str:
    """The signature (hexadecimal) of `body` at epoch second `timestamp`."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def genuine(header: str, body: bytes, secrets: Iterable[str], *, now: float | None = None) -> bool:
    """Whether one of the header's signatures was made with one of `secrets` not long ago.

    `header` is that of `Stripe-Signature`; `now` is in epoch seconds, by default this moment.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t" and value.isdecimal()]
    given = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1:
        return False
    timestamp = int(stamps[0])
    if abs((time.time() if now is None else now) - timestamp) > TOLERANCE_S:
        return False
    expected = [signed_with(secret, body, timestamp).encode() for secret in secrets]
    return any(hmac.compare_digest(one, other.encode()) for one in expected for other in given)
