"""Stripe's errors as answers: status, and the body `{"error": {...}}`."""

import json
from typing import Any


class StripeError(Exception):
    """An answer that is an error.

    `executed` tells whether the request had begun to execute: Stripe keeps the answer under
    its idempotency key only then, so a refused parameter can be corrected and sent again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.headers = headers
        error: dict[str, Any] = {}
        if code is not None:
            error["code"] = code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        error["message"] = message
        if param is not None:
            error["param"] = param
        error.update(more)
        error["type"] = type
        self.error = error

    def body(self, request_id: str, livemode: bool) -> bytes:
        """The body, with the link to the request's log as Stripe adds it for a known key."""
        mode = "" if livemode else "test/"
        log = f"https://dashboard.stripe.com/{mode}logs/{request_id}"
        error = {**self.error, "request_log_url": log}
        return json.dumps({"error": error}, indent=2).encode()


def missing(kind: str, id_: str, *, param: str, status: int = 404, hint: str = "") -> StripeError:
    """No such object."""
    return StripeError(
        status, f"No such {kind}: '{id_}'{hint}", code="resource_missing", param=param
    )


def unknown_parameter(param: str) -> StripeError:
    """A parameter that the operation does not have."""
    return StripeError(
        400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param
    )


def missing_parameter(param: str) -> StripeError:
    """A parameter that the operation cannot do without."""
    return StripeError(
        400, f"Missing required param: {param}.", code="parameter_missing", param=param
    )


def invalid_integer(param: str, value: Any) -> StripeError:
    """A parameter that should be a whole number and is not."""
    return StripeError(
        400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=param
    )


def unrecognized_url(method: str, path: str) -> StripeError:
    """A path that Stripe does not have."""
    return StripeError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
    )


def outage(status: int) -> StripeError:
    """A fault on Stripe's own side, 500 to 599."""
    return StripeError(
        status,
        "An unknown error occurred. If you need help, please contact us at "
        "https://support.stripe.com/.",
        type="api_error",
        executed=True,
    )


def rate_limited(reason: str) -> StripeError:
    """Too many requests; `reason` is global-rate or endpoint-rate."""
    return StripeError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers=(("Stripe-Rate-Limited-Reason", reason),),
    )
