"""`POST /webhooks/stripe`: signature, deduplication, event log, ledger."""

from __future__ import annotations

import json
import logging
from typing import Any

import psycopg
import redis

from payops.lab.merchant import event_log, events
from payops.lab.merchant.answer import NO_ANSWER, Answer
from payops.lab.merchant.faults import Faults
from payops.lab.merchant.ledger import Connection, connect
from payops.lab.merchant.signature import genuine

log = logging.getLogger(__name__)

PATH = "/webhooks/stripe"
# Runbook 004: 24 h.
DEDUPE_TTL_S = 86_400
_PROCESSED = Answer(200, {"status": "processed"})
_DUPLICATE = Answer(200, {"status": "already_processed"})
_FAILED = Answer(500, {"error": "handler failed"})


class InjectedError(Exception):
    """The lab asked for this failure."""


class Webhooks:
    """Receives Stripe's events. An event that fails is answered with 500 and can come again."""

    def __init__(
        self, dsn: str, client: redis.Redis, secrets: tuple[str, ...], faults: Faults
    ) -> None:
        self._dsn = dsn
        self._redis = client
        self._secrets = secrets
        self._faults = faults

    def receive(self, body: bytes, signature: str) -> Answer:
        """Answer one delivery: raw `body`, and the header `Stripe-Signature`."""
        fault = self._faults.active("webhook")
        if fault == "timeout":
            self._faults.hang("webhook")
            return NO_ANSWER
        if fault == "redirect":
            return Answer(308, {"error": "moved"}, {"Location": PATH + "/"})
        if fault == "403":
            return Answer(403, {"error": "forbidden"})
        if fault == "wrong_secret" or not genuine(signature, body, self._secrets):
            return Answer(400, {"error": "invalid signature"})
        event = _event(body)
        if event is None:
            return Answer(400, {"error": "not an event"})
        if fault == "swallow":
            return _PROCESSED
        return self._once(event, fail=fault == "500")

    def _once(self, event: dict[str, Any], *, fail: bool) -> Answer:
        key = f"stripe_event:{event['id']}"
        try:
            if not self._redis.set(key, "1", nx=True, ex=DEDUPE_TTL_S):
                return _DUPLICATE
        except redis.RedisError as error:
            log.error("%s: Redis does not answer: %s", event["id"], error)
            return _FAILED
        try:
            with connect(self._dsn) as connection:
                answer = self._process(connection, event, fail=fail)
        except psycopg.Error as error:
            log.error("%s: Postgres: %s", event["id"], error)
            answer = _FAILED
        if answer is _FAILED:
            self._free(key)
        return answer

    def _process(self, connection: Connection, event: dict[str, Any], *, fail: bool) -> Answer:
        if not event_log.receive(connection, event):
            return _DUPLICATE
        try:
            with connection.transaction():
                if fail:
                    raise InjectedError("internal error (injected by the lab)")
                events.apply(connection, event)
                event_log.processed(connection, event["id"])
        except (psycopg.Error, events.UnknownPaymentError, InjectedError, KeyError) as error:
            log.error("%s %s failed: %s", event["id"], event["type"], error)
            event_log.failed(connection, event["id"], f"{type(error).__name__}: {error}")
            return _FAILED
        return _PROCESSED

    def _free(self, key: str) -> None:
        try:
            self._redis.delete(key)
        except redis.RedisError as error:
            log.error("%s stays: the event's retry will be taken for a duplicate: %s", key, error)


def _event(body: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(body)
    except ValueError:
        return None
    fields = ("id", "type", "data")
    good = isinstance(event, dict) and all(field in event for field in fields)
    return event if good and "object" in event["data"] else None
