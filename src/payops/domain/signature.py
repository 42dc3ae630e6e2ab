"""Stripe's webhook signatures: `Stripe-Signature: t=…,v1=…`.

HMAC-SHA256 with the endpoint's secret over `{t}.{raw body}`; any `v1` may match, and a signature is
good for 300 s (Stripe's documentation, 'Webhooks').
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class SignatureHeader:
    """A header as it was read.

    `timestamp` in epoch seconds, None without a readable `t`; `v1` the signatures in their order;
    `schemes` the names of all parts (`t`, `v1`, `v0`), as they stand. `malformed` tells that a part
    which counts has no value or no number in it: then nothing of it is to be believed.
    """

    timestamp: int | None
    v1: tuple[str, ...]
    schemes: tuple[str, ...]
    malformed: bool = False


def read_header(header: str) -> SignatureHeader:
    """Read `t=…,v1=…` as Stripe's SDKs do: nothing is trimmed, and the first `t` counts. Never
    raises.

    >>> read_header("t=12,v1=ab,v1=cd,v0=ef")
    SignatureHeader(timestamp=12, v1=('ab', 'cd'), schemes=('t', 'v1', 'v1', 'v0'), malformed=False)
    """
    # The SDK for Python splits at two `=` at most and takes what is between the first and second.
    parts = [part.split("=", 2) for part in header.split(",")]
    schemes = tuple(part[0] for part in parts)
    stamps = [part for part in parts if part[0] == "t"]
    signatures = [part for part in parts if part[0] == "v1"]
    malformed = any(len(part) < 2 for part in (*stamps, *signatures))
    timestamp = None
    if stamps and len(stamps[0]) > 1:
        timestamp = _whole(stamps[0][1])
        malformed = malformed or timestamp is None
    return SignatureHeader(
        timestamp, tuple(part[1] for part in signatures if len(part) > 1), schemes, malformed
    )


def made_with(secret: str, body: bytes, timestamp: int, given: Iterable[str]) -> bool:
    """Whether any of the signatures `given` is that of `body`, in a time that tells nothing."""
    expected = signed_with(secret, body, timestamp).encode()
    # A list, so that every one is compared. Not ASCII: no signature, and no fault either.
    same = [hmac.compare_digest(expected, each.encode("utf-8", "surrogatepass")) for each in given]
    return any(same)


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:  # also what is longer than Python's limit of 4,300 digits
        return None
