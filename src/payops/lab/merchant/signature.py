"""Whether a delivery is Stripe's: the shop's own reading of the header `Stripe-Signature`."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable

from payops.domain.signature import TOLERANCE_S, signed_with


def genuine(
    header: str,
    body: bytes,
    secrets: Iterable[str],
    *,
    now: float | None = None,
    tolerance_s: float | None = TOLERANCE_S,
) -> bool:
    """Whether one of the header's signatures was made with one of `secrets` not long ago.

    `header` is that of `Stripe-Signature`; `now` is in epoch seconds, by default this moment. A
    signature from the future is refused just as an old one; with `tolerance_s` None neither is.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t" and value.isdecimal()]
    given = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1:
        return False
    timestamp = int(stamps[0])
    age_s = abs((time.time() if now is None else now) - timestamp)
    if tolerance_s is not None and age_s > tolerance_s:
        return False
    expected = [signed_with(secret, body, timestamp).encode() for secret in secrets]
    return any(hmac.compare_digest(one, other.encode()) for one in expected for other in given)
