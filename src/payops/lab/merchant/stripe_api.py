"""The one call that the shop makes at Stripe: create and confirm a PaymentIntent."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

# The error's word by HTTP status, as Stripe's SDK names its exceptions.
_WORDS = {401: "authentication_error", 403: "authentication_error", 409: "idempotency_error"}
_WORDS |= {429: "rate_limit"}


@dataclass(frozen=True)
class Outcome:
    """How Stripe answered.

    `intent` is the PaymentIntent, if there is one. `failure` is empty for success, else a decline's
    word or one of ours; `ours` tells that it was our fault or Stripe's, not the card's; `unknown`
    that the payment may have been taken all the same.
    """

    intent: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    message: str = ""
    ours: bool = False
    unknown: bool = False


class StripeApi:
    """Stripe at `url` (`http://host:port`), with a secret key and a timeout in seconds."""

    def __init__(self, url: str, key: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port
        self._key = key
        self._timeout_s = timeout_s

    def pay(self, parameters: Mapping[str, str], idempotency_key: str) -> Outcome:
        """POST /v1/payment_intents with form `parameters`. Never raises."""
        connect = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = connect(self._host, self._port, timeout=self._timeout_s)
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": idempotency_key,
        }
        try:
            connection.connect()
        except OSError as error:
            return Outcome(failure="api_connection_error", message=str(error), ours=True)
        try:
            connection.request("POST", "/v1/payment_intents", urlencode(parameters), headers)
            response = connection.getresponse()
            return _outcome(response.status, response.read())
        except TimeoutError as error:
            return Outcome(failure="timeout", message=str(error), ours=True, unknown=True)
        except (OSError, http.client.HTTPException) as error:
            return Outcome(
                failure="api_connection_error", message=str(error), ours=True, unknown=True
            )
        finally:
            connection.close()


def _outcome(status: int, body: bytes) -> Outcome:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    if status == 200 and "id" in answer:
        return Outcome(intent=answer)
    error = answer.get("error") or {}
    message = str(error.get("message", f"HTTP {status}"))
    if status == 402:
        word = error.get("decline_code") or error.get("code") or "card_declined"
        return Outcome(intent=error.get("payment_intent") or {}, failure=word, message=message)
    # Stripe: after a 5xx the result is indeterminate; a 200 without a PaymentIntent is no better.
    word = _WORDS.get(status, "api_error" if status >= 500 or status == 200 else "")
    return Outcome(
        failure=word or str(error.get("type") or "invalid_request_error"),
        message=message,
        ours=True,
        unknown=status >= 500 or status == 200,
    )
