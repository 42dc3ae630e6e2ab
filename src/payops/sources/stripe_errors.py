"""What Stripe's errors mean.

Never in a message: the key, or a whole body, which may hold customers' data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.errors import Failure, SourceError

if TYPE_CHECKING:
    import stripe

_KINDS = {
    400: Failure.REJECTED,
    401: Failure.AUTHENTICATION,
    402: Failure.REJECTED,
    403: Failure.PERMISSION,
    404: Failure.NOT_FOUND,
    409: Failure.REJECTED,
    424: Failure.SERVER_ERROR,  # a dependency of Stripe's failed
    429: Failure.RATE_LIMITED,
}
_LONGEST = 300


def translate(error: stripe.StripeError, *, key: str, path: str, request_id: str) -> SourceError:
    """A typed error of the SDK's; `key` is the fingerprint of the secret key."""
    status = error.http_status
    kind = kind_of(status)
    if error.error is None and (status is None or status < 500):
        kind = Failure.BAD_ANSWER
    elif getattr(error.error, "code", None) == "rate_limit":  # once a 400, says the SDK
        kind = Failure.RATE_LIMITED
    headers = error.headers or {}
    reason = headers.get("Stripe-Rate-Limited-Reason", "")
    said = error.user_message if error.error is not None else "no JSON of Stripe's in the answer"
    message = f"GET {path}: HTTP {status}: {said or kind.value}"
    if reason:
        message += f" ({reason})"
    return SourceError(
        "stripe",
        kind,
        shortened(harmless(redact(message)), _LONGEST),
        hint=_hint(kind, key, path),
        request_id=request_id,
        http_status=status,
        code=(getattr(error.error, "code", None) or error.code or ""),
    )


def kind_of(status: int | None) -> Failure:
    """The kind of an HTTP status.

    >>> kind_of(401), kind_of(503), kind_of(302)
    (<Failure.AUTHENTICATION: 'authentication failed'>, <Failure.SERVER_ERROR: 'server error'>, \
<Failure.BAD_ANSWER: 'answer not understood'>)
    """
    if status is None:
        return Failure.BAD_ANSWER
    if status in _KINDS:
        return _KINDS[status]
    if status >= 500:
        return Failure.SERVER_ERROR
    return Failure.REJECTED if status >= 400 else Failure.BAD_ANSWER


def not_understood(error: Exception, path: str, request_id: str) -> SourceError:
    """Not the object that was asked for, or no JSON after all: the SDK takes `NaN` for some."""
    return SourceError(
        "stripe",
        Failure.BAD_ANSWER,
        shortened(harmless(redact(f"GET {path}: {error}")), _LONGEST),
        hint="is stripe.api_base really Stripe? Try stripe.api_version with a version payops knows",
        request_id=request_id,
        http_status=200,
    )


def _hint(kind: Failure, key: str, path: str) -> str:
    match kind:
        case Failure.AUTHENTICATION:
            return (
                f"Stripe does not accept the key {key}, stripe.secret_key of the configuration: "
                "expired, rolled, or of another environment?"
            )
        case Failure.PERMISSION:
            resource = path.removeprefix("/v1/").split("/")[0]
            return f"{key} is valid but may not read {resource}: allow it in the dashboard"
        case Failure.NOT_FOUND:
            return f"no such object for {key}: another account, or test instead of live?"
        case Failure.RATE_LIMITED:
            return "the account is at Stripe's limit: lower stripe.max_requests_per_second, wait"
        case Failure.SERVER_ERROR:
            return "Stripe's own fault: see its status page and keep the request id"
        case Failure.BAD_ANSWER:
            return "something other than Stripe answers: look at stripe.api_base and the proxy"
        case _:
            return ""
