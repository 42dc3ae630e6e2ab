"""The shop as a whole: its parts, and which request goes to which."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from email.message import Message
from typing import Any, Protocol

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from payops.lab.merchant import webhooks
from payops.lab.merchant.answer import NO_ANSWER, Answer
from payops.lab.merchant.breaker import Breaker
from payops.lab.merchant.checkout import Checkout
from payops.lab.merchant.config import MerchantConfig
from payops.lab.merchant.door import Door
from payops.lab.merchant.faults import Faults
from payops.lab.merchant.gate import Gate
from payops.lab.merchant.ledger import connect
from payops.lab.merchant.stripe_api import StripeApi
from payops.lab.merchant.webhooks import Webhooks

log = logging.getLogger(__name__)

_NOT_FOUND = Answer(404, {"error": "not found"})


class Shop:
    """Answers the public requests. Servers that were lost and come back are simply used again."""

    def __init__(self, config: MerchantConfig) -> None:
        self._dsn = config.postgres_dsn
        # One retry at once: a pooled connection may have been lost with a server since restarted.
        self._redis = redis.Redis.from_url(
            config.redis_url,
            socket_timeout=2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 1),
        )
        self.faults = Faults()
        stripe = StripeApi(config.stripe_url, config.stripe_key, config.stripe_timeout_s)
        self._checkout = Checkout(self._dsn, self._redis, stripe, Breaker(self._redis))
        gate = Gate({webhooks.PATH: config.webhook_secrets, **config.more_webhooks}, self.faults)
        self._delivered_to = gate.paths
        self._webhooks = Webhooks(self._dsn, self._redis, gate, self.faults)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def answered(self) -> dict[str, int]:
        """How often each path was answered with each status: {"/pay 200": 3}; 0 is unanswered."""
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
        if (method, path) == ("GET", "/health"):
            return self._health()
        if method == "POST" and path in self._delivered_to:
            return self._webhooks.receive(path, body, headers.get("Stripe-Signature", ""))
        if (method, path) == ("POST", "/pay"):
            return self._checkout.pay(body, headers.get("Idempotency-Key", ""))
        if path in ("/health", "/pay") or path in self._delivered_to:
            allowed = "GET" if path == "/health" else "POST"
            return Answer(405, {"error": f"{allowed} only"}, {"Allow": allowed})
        return _NOT_FOUND

    def _health(self) -> Answer:
        fault = self.faults.health
        if fault == "timeout":
            self.faults.hang("health")
            return NO_ANSWER
        if fault == "500":
            return Answer(500, {"status": "error"})
        found = {"database": self._database(), "redis": self._cache()}
        up = set(found.values()) == {"ok"}
        return Answer(200 if up else 503, {"status": "ok" if up else "down", **found})

    def _database(self) -> str:
        try:
            with connect(self._dsn) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            log.error("health: Postgres: %s", error)
            return "down"
        return "ok"

    def _cache(self) -> str:
        try:
            self._redis.ping()
        except redis.RedisError as error:
            log.error("health: Redis: %s", error)
            return "down"
        return "ok"


class Application(Protocol):
    """What the side door needs of an application."""

    faults: Faults

    @property
    def answered(self) -> dict[str, int]:
        """How often each path was answered with each status."""

    def handle(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request."""


class Control:
    """The lab's side door: GET /state, PUT /faults.

    Beside the faults of `faults.py`, `down` closes every door, and `webhook_down` that one which
    Stripe delivers to.
    """

    def __init__(self, shop: Application, door: Door, deliveries: Door | None = None) -> None:
        self._shop = shop
        self._doors = {"down": door} | ({"webhook_down": deliveries} if deliveries else {})
        self._closed = dict.fromkeys(self._doors, False)

    def handle(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request with the state after it; 400 says what it did not understand."""
        del headers
        if (method, path) == ("GET", "/state"):
            return self._state()
        if (method, path) != ("PUT", "/faults"):
            return _NOT_FOUND
        try:
            wanted: Any = json.loads(body)
            if not isinstance(wanted, dict):
                raise ValueError("a JSON object is wanted")
            closed = {name: wanted.pop(name) for name in self._doors if name in wanted}
            if not all(isinstance(one, bool) for one in closed.values()):
                raise ValueError(f"{' and '.join(closed)} is true or false")
            self._shop.faults.change(wanted)
        except (ValueError, TypeError) as error:
            return Answer(400, {"error": str(error)})
        self._closed.update(closed)
        for name, door in self._doors.items():
            door.close() if self._closed[name] or self._closed["down"] else door.open()
        return self._state()

    def _state(self) -> Answer:
        return Answer(
            200,
            {
                "faults": {**self._shop.faults.dump(), **self._closed},
                "answered": self._shop.answered,
                "url": self._doors["down"].url,
            },
        )
