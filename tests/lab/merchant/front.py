"""The shop as its clients and Stripe see it."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg

from payops.domain.signature import signed_with
from payops.lab.stripe import objects

SECRET = "whsec_test_of_the_shop"
_numbers = itertools.count(1)


def request(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of one request; of a page, its text as `html`."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, parts.path, body, headers or {})
        response = connection.getresponse()
        answered = response.read()
        page = response.headers.get_content_type() == "text/html"
        return response.status, {"html": answered.decode()} if page else json.loads(answered)
    finally:
        connection.close()


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@dataclass
class OpenShop:
    """A shop in this process, as a client sees it."""

    url: str
    control_url: str

    def pay(self, **order: Any) -> tuple[int, dict[str, Any]]:
        given = {"amount": 1999, "currency": "usd", "order_id": "order-1", **order}
        return request("POST", self.url + "/pay", json.dumps(given).encode())

    def deliver(self, event: dict[str, Any], secret: str = SECRET) -> tuple[int, dict[str, Any]]:
        body, now = json.dumps(event).encode(), int(time.time())
        header = {"Stripe-Signature": f"t={now},v1={signed_with(secret, body, now)}"}
        return request("POST", self.url + "/webhooks/stripe", body, header)

    def break_(self, **faults: Any) -> tuple[int, dict[str, Any]]:
        return request("PUT", self.control_url + "/faults", json.dumps(faults).encode())

    def health(self) -> tuple[int, dict[str, Any]]:
        return request("GET", self.url + "/health")


def event(type: str, about: dict[str, Any]) -> dict[str, Any]:
    """A new event of `type` about an object."""
    id_ = f"evt_test{next(_numbers):05}"
    now = int(time.time())
    return objects.event(id=id_, type=type, data_object=about, created=now, livemode=False)


def intent_of(payment_id: UUID, status: str = "succeeded", **more: Any) -> dict[str, Any]:
    """The PaymentIntent `pi_1` of a payment of 19.99 USD."""
    return objects.payment_intent(
        id="pi_1",
        amount=1999,
        currency="usd",
        status=status,
        created=int(time.time()),
        livemode=False,
        metadata={"payment_id": str(payment_id)},
        **more,
    )


def charge_of(amount_refunded: int = 0) -> dict[str, Any]:
    """The charge of `pi_1`."""
    return objects.charge(
        id="ch_1",
        amount=1999,
        currency="usd",
        status="succeeded",
        created=int(time.time()),
        livemode=False,
        payment_intent="pi_1",
        amount_refunded=amount_refunded,
    )


def new_payment(
    database: psycopg.Connection[Any], status: str = "pending", intent: str | None = "pi_1"
) -> UUID:
    """A payment of 19.99 USD in the ledger."""
    id_ = uuid4()
    database.execute(
        "INSERT INTO payments (id, order_id, amount, currency, status, processor_ref,"
        " idempotency_key) VALUES (%s, 'order-1', 1999, 'usd', %s, %s, %s)",
        (id_, status, intent, f"pay-{id_}"),
    )
    return id_


def one(database: psycopg.Connection[Any], query: str, *given: object) -> tuple[Any, ...]:
    """The one row of a query."""
    (row,) = database.execute(query, given).fetchall()
    return tuple(row)
