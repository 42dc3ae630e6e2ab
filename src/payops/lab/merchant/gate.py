"""What stands between Stripe and a webhook's handler: the lab's faults, then the signature.

The shop and the outsides of the other systems have it in common.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payops.domain.signature import TOLERANCE_S
from payops.lab.merchant.answer import NO_ANSWER, Answer
from payops.lab.merchant.faults import DOOR, HANDLER, SIGNATURE, Faults, WebhookFault
from payops.lab.merchant.signature import genuine

LOGIN_PAGE = Answer(
    403,
    "<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in</h1>"
    '<form method="post" action="/login"><input name="user"><input type="password" name="password">'
    "</form></body></html>",
)
_CRASHED = Answer(500, {"error": "internal server error"})
_NOT_FOUND = Answer(404, {"error": "not found"})
_DRIP_S = 1.0


@dataclass(frozen=True)
class Delivery:
    """What came through: the body as the handler sees it, whether its signature is right, and
    whether secrets are wrong here, so that none can be."""

    body: bytes
    signed: bool
    distrusted: bool


class Gate:
    """Before the handlers of one application. `secrets` are those of each path."""

    def __init__(self, secrets: Mapping[str, Sequence[str]], faults: Faults) -> None:
        self._secrets = {path: tuple(some) for path, some in secrets.items()}
        self._faults = faults

    @property
    def paths(self) -> frozenset[str]:
        """Where deliveries are taken."""
        return frozenset(self._secrets)

    def pass_through(self, path: str, body: bytes, signature: str) -> Delivery | Answer:
        """The delivery, or the answer of what stopped it. A bad signature is for the handler."""
        fault = self._faults.strike(DOOR, body)
        if fault is not None:
            stopped = self._stopped(path, fault)
            if stopped is not None:
                return stopped
            if fault.fault == "slow":
                self._faults.hang("webhook", fault.seconds)
            if fault.fault == "altered":
                body = _written_anew(body)
        wrong = self._faults.strike(SIGNATURE, body)
        secrets = self._trusted(path, wrong)
        age = None if wrong is not None and wrong.fault == "any_age" else TOLERANCE_S
        signed = genuine(signature, body, secrets, now=self._faults.now(), tolerance_s=age)
        return Delivery(body, signed, wrong is not None and wrong.fault == "wrong_secret")

    def at_handler(self, body: bytes) -> WebhookFault | None:
        """The handler's fault that strikes a delivery which got that far."""
        return self._faults.strike(HANDLER, body)

    def _stopped(self, path: str, fault: WebhookFault) -> Answer | None:
        if fault.fault == "timeout":
            self._faults.hang("webhook")
            return NO_ANSWER
        if fault.fault == "closed":
            return NO_ANSWER
        if fault.fault == "redirect":
            other = path.rstrip("/") if path.endswith("/") else path + "/"
            return Answer(308, {"error": "moved"}, {"Location": fault.location or other})
        return {
            "403": LOGIN_PAGE,
            "404": _NOT_FOUND,
            "crash": _CRASHED,
            "drip": Answer(200, {"status": "received"}, drip_s=_DRIP_S),
        }.get(fault.fault)

    def _trusted(self, path: str, fault: WebhookFault | None) -> Sequence[str]:
        """The secrets that a signature at `path` may be made with."""
        if fault is None or fault.fault == "any_age":
            return self._secrets[path]
        if fault.fault == "wrong_secret":
            return ()
        return [one for other, some in self._secrets.items() if other != path for one in some]


def _written_anew(body: bytes) -> bytes:
    """As a proxy that reads JSON and writes it again sends it on; what is no JSON stays."""
    try:
        return json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True).encode()
    except ValueError:
        return body
