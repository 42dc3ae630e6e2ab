"""Stripe's webhook signatures: `Stripe-Signature: t=…,v1=…`.

HMAC-SHA256 with the endpoint's secret over `{t}.{raw body}`; any `v1` may match, and a signature is
good for 300 s (Stripe's documentation, 'Webhooks').
"""

from __future__ import annotations

import hashlib
import hmac

# Stripe's default, in seconds: what its SDKs allow between `t` and the receiver's clock.
TOLERANCE_S = 300


def signed_with(secret: str, body: bytes, timestamp: int) -> str:
    """The signature (hexadecimal) of `body` at epoch second `timestamp`."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def signature_header(secret: str, body: bytes, timestamp: int) -> str:
    """The header `Stripe-Signature` as Stripe sends it.

    >>> signature_header("whsec_x", b"{}", 1)[:20]
    't=1,v1=36ee2f7498f0c'
    """
    return f"t={timestamp},v1={signed_with(secret, body, timestamp)}"
