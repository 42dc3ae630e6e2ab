"""`POST /webhooks/stripe`: signature, deduplication, event log, ledger."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import psycopg
import redis

from payops.lab.merchant import event_log, events
from payops.lab.merchant.answer import Answer
from payops.lab.merchant.faults import Faults
from payops.lab.merchant.gate import Gate
from payops.lab.merchant.ledger import Connection, connect

log = logging.getLogger(__name__)

PATH = "/webhooks/stripe"
# Runbook 004: 24 h.
DEDUPE_TTL_S = 86_400
_PROCESSED = Answer(200, {"status": "processed"})
_RECEIVED = Answer(200, {"status": "received"})
_DUPLICATE = Answer(200, {"status": "already_processed"})
_FAILED = Answer(500, {"error": "handler failed"})


class InjectedError(Exception):
    """The lab asked for this failure."""


class Webhooks:
    """Receives Stripe's events. An event that fails is answered with 500 and can come again."""

    def __init__(self, dsn: str, client: redis.Redis, gate: Gate, faults: Faults) -> None:
        self._dsn = dsn
        self._redis = client
        self._gate = gate
        self._faults = faults

    def receive(self, path: str, body: bytes, signature: str) -> Answer:
        """Answer one delivery: raw `body`, and the header `Stripe-Signature`."""
        came = self._gate.pass_through(path, body, signature)
        if isinstance(came, Answer):
            return came
        if not came.signed:
            return Answer(400, {"error": "invalid signature"})
        event = _event(came.body)
        if event is None:
            return Answer(400, {"error": "not an event"})
        struck = self._gate.at_handler(came.body)
        fault = struck.fault if struck else ""
        if fault == "swallow":
            return _PROCESSED
        if struck is not None and fault == "late":
            return self._later(event, struck.seconds)
        return self._once(event, fault)

    def _later(self, event: dict[str, Any], seconds: float) -> Answer:
        """Write it down and answer; a worker, which is slow, handles it afterwards."""
        answer = self._once(event, "stuck")
        if answer is _RECEIVED:
            threading.Thread(target=self._work, args=(event, seconds), daemon=True).start()
        return answer

    def _work(self, event: dict[str, Any], seconds: float) -> None:
        self._faults.hang("webhook", seconds)
        try:
            with connect(self._dsn) as connection:
                self._process(connection, event, "")
        except psycopg.Error as error:
            log.error("%s is not handled: Postgres: %s", event["id"], error)

    def _once(self, event: dict[str, Any], fault: str) -> Answer:
        key = f"stripe_event:{event['id']}"
        try:
            if fault != "no_dedupe" and not self._redis.set(key, "1", nx=True, ex=DEDUPE_TTL_S):
                return _DUPLICATE
        except redis.RedisError as error:
            log.error("%s: Redis does not answer: %s", event["id"], error)
            return _FAILED
        try:
            with connect(self._dsn) as connection:
                answer = self._process(connection, event, fault)
        except psycopg.Error as error:
            log.error("%s: Postgres: %s", event["id"], error)
            answer = _FAILED
        if answer is _FAILED:
            self._free(key)
        return answer

    def _process(self, connection: Connection, event: dict[str, Any], fault: str) -> Answer:
        if fault == "stuck":
            event_log.write(connection, event)
            return _RECEIVED
        if not event_log.receive(connection, event, again=fault == "no_dedupe"):
            return _DUPLICATE
        try:
            with connection.transaction():
                if fault in ("500", "failed"):
                    raise InjectedError("internal error (injected by the lab)")
                if fault != "swallow_logged":
                    events.apply(connection, event, forward_only=fault != "any_order")
                event_log.processed(connection, event["id"])
        except (psycopg.Error, events.UnknownPaymentError, InjectedError, KeyError) as error:
            log.error("%s %s failed: %s", event["id"], event["type"], error)
            event_log.failed(connection, event["id"], f"{type(error).__name__}: {error}")
            # A worker behind a queue fails when the delivery has long been answered.
            return _RECEIVED if fault == "failed" else _FAILED
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
