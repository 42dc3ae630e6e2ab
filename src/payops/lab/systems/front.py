"""The application of a system other than `reference`, from outside: a health page and a webhook.

It answers as that system's does, and changes nothing: no row, no key. Answers are those that were
read in each system's source, with what is broken there put right, since a lab starts healthy.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from email.message import Message

from payops.lab.merchant.answer import NO_ANSWER, Answer
from payops.lab.merchant.config import MerchantConfig
from payops.lab.merchant.faults import Faults
from payops.lab.merchant.gate import Gate
from payops.lab.systems import system

_NOT_FOUND = Answer(404, {"error": "not found"})
_NOT_ALLOWED = Answer(405, {"error": "method not allowed"})
_MOST_REMEMBERED = 100_000


class FrontOfShop:
    """Answers the public requests of one system; the lab's faults work on it as on the shop."""

    def __init__(self, config: MerchantConfig) -> None:
        self._front = system(config.system).front
        self.faults = Faults()
        self._gate = Gate(
            {self._front.webhook: config.webhook_secrets, **config.more_webhooks}, self.faults
        )
        self._counts: Counter[str] = Counter()
        self._seen: dict[str, None] = {}
        self._lock = threading.Lock()

    @property
    def answered(self) -> dict[str, int]:
        """How often each path was answered with each status: {"/health/ 200": 3}."""
        with self._lock:
            return dict(self._counts)

    def handle(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request."""
        path = path.partition("?")[0]
        answer = self._route(method, path, headers, body)
        with self._lock:
            self._counts[f"{path} {answer.status}" if answer is not _NOT_FOUND else "404"] += 1
        return answer

    def _route(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        if path in self._gate.paths:
            if method != "POST":
                return _NOT_ALLOWED
            return self._receive(path, body, headers.get("Stripe-Signature", ""))
        if path == self._front.health:
            fault = self.faults.health
            if fault == "timeout":
                self.faults.hang("health")
                return NO_ANSWER
            return Answer(500, {"status": "error"}) if fault == "500" else self._front.healthy
        if method == "GET" and path in self._front.others:
            return self._front.others[path]
        return _NOT_FOUND

    def _receive(self, path: str, body: bytes, signature: str) -> Answer:
        came = self._gate.pass_through(path, body, signature)
        if isinstance(came, Answer):
            return came
        if not signature:
            return self._front.unsigned or self._front.refused
        if not came.signed and (self._front.checks_signature or came.distrusted):
            return self._front.refused
        struck = self._gate.at_handler(body)
        fault = struck.fault if struck else ""
        if fault == "500":
            return Answer(500, {"error": "handler failed"})
        if fault == "swallow":
            return self._front.received
        try:
            event = json.loads(body)
            id_ = str(event["id"])
        except (ValueError, KeyError, TypeError):
            return Answer(400, {"error": "not an event"})
        with self._lock:
            known = id_ in self._seen
            self._seen[id_] = None
            if len(self._seen) > _MOST_REMEMBERED:
                del self._seen[next(iter(self._seen))]
        return self._front.repeated if known and self._front.repeated else self._front.received
