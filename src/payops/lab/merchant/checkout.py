"""`POST /pay`: the row first, then Stripe, through the circuit breaker."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import redis

from payops.lab.merchant import ledger
from payops.lab.merchant.answer import Answer
from payops.lab.merchant.breaker import Breaker
from payops.lab.merchant.ledger import Connection, KnownPayment, NewPayment
from payops.lab.merchant.stripe_api import Outcome, StripeApi

log = logging.getLogger(__name__)

# Runbook 004: 24 h.
IDEMPOTENCY_TTL_S = 86_400
# Stripe's own limit on an amount is eight digits.
LARGEST_AMOUNT = 99_999_999


@dataclass(frozen=True)
class Order:
    """What is asked of `/pay`. `amount` is in minor units of `currency`."""

    amount: int
    currency: str
    order_id: str
    email: str | None
    payment_method: str

    @classmethod
    def parse(cls, body: bytes) -> Order:
        """From the JSON of a request. Raises ValueError saying what is wrong with it."""
        given: Any = json.loads(body)
        if not isinstance(given, dict):
            raise ValueError("a JSON object is wanted")
        amount, currency = given.get("amount"), str(given.get("currency", "usd")).lower()
        if type(amount) is not int or not 0 < amount <= LARGEST_AMOUNT:  # True is an int too
            raise ValueError("amount is a positive whole number of minor units")
        if not re.fullmatch("[a-z]{3}", currency):
            raise ValueError("currency is three letters")
        texts = {name: given.get(name) for name in ("order_id", "email", "payment_method")}
        for name, text in texts.items():
            if text is not None and (not isinstance(text, str) or "\0" in text):
                raise ValueError(f"{name} is a text")
        return cls(
            amount=amount,
            currency=currency,
            order_id=texts["order_id"] or f"order-{uuid4().hex[:12]}",
            email=texts["email"],
            payment_method=texts["payment_method"] or "pm_card_visa",
        )


class Checkout:
    """Takes payments. Asking twice for the same order pays once."""

    def __init__(self, dsn: str, client: redis.Redis, stripe: StripeApi, breaker: Breaker) -> None:
        self._dsn = dsn
        self._redis = client
        self._stripe = stripe
        self._breaker = breaker

    def pay(self, body: bytes, idempotency_key: str = "") -> Answer:
        """Answer one request to pay.

        200 taken, or waiting for the customer; 402 declined; 502 failed by Stripe; 503 not tried:
        the breaker is open, or the database down. `idempotency_key` is by default the order's.
        """
        try:
            order = Order.parse(body)
        except ValueError as error:
            return Answer(400, {"error": str(error)})
        key = idempotency_key or f"pay-{order.order_id}"
        new = NewPayment(uuid4(), order.order_id, order.email, order.amount, order.currency, key)
        try:
            with ledger.connect(self._dsn) as connection:
                if not ledger.insert(connection, new):
                    return _described(ledger.by_idempotency_key(connection, key))
                self._remember(new)
                return self._attempt(connection, new, order)
        except psycopg.Error as error:
            log.error("order %s: Postgres: %s", order.order_id, error)
            return Answer(503, {"error": "database does not answer"})

    def _attempt(self, connection: Connection, new: NewPayment, order: Order) -> Answer:
        if not self._breaker.allows():
            message = "The circuit breaker is open: Stripe was not asked."
            ledger.move(
                connection,
                new.id,
                "failed",
                failure_code="circuit_open",
                failure_message=message,
            )
            return Answer(503, {"error": "circuit_open", "payment_id": str(new.id)})
        failed = True
        try:
            outcome = self._stripe.pay(_parameters(new, order), new.idempotency_key)
            failed = outcome.ours
        finally:
            self._breaker.record(failed=failed)
        _record(connection, new, outcome)
        return _answer(connection, new, outcome)

    def _remember(self, new: NewPayment) -> None:
        """The key in Redis too; the ledger's unique column is what holds without it."""
        try:
            self._redis.set(
                f"idempotency:{new.idempotency_key}", str(new.id), nx=True, ex=IDEMPOTENCY_TTL_S
            )
        except redis.RedisError as error:
            log.warning("idempotency key not remembered: %s", error)


def _parameters(new: NewPayment, order: Order) -> dict[str, str]:
    parameters = {
        "amount": str(new.amount),
        "currency": new.currency,
        "payment_method": order.payment_method,
        "payment_method_types[]": "card",
        "confirm": "true",
        "description": f"Order {new.order_id}",
        "metadata[order_id]": new.order_id,
        "metadata[payment_id]": str(new.id),
    }
    return {**parameters, "receipt_email": new.email} if new.email else parameters


def _record(connection: Connection, new: NewPayment, outcome: Outcome) -> None:
    """What the answer itself says; that the money has come is left to the webhook."""
    intent = outcome.intent.get("id")
    if outcome.failure and not outcome.unknown:
        ledger.move(
            connection,
            new.id,
            "failed",
            intent=intent,
            failure_code=outcome.failure,
            failure_message=outcome.message,
        )
    elif outcome.failure:
        # Nobody knows whether the payment was taken: it stays pending, for the webhook or for us.
        ledger.note(
            connection, new.id, failure_code=outcome.failure, failure_message=outcome.message
        )
    elif outcome.intent.get("status") == "requires_action":
        ledger.move(connection, new.id, "requires_action", intent=intent)
        ledger.note(connection, new.id, intent=intent)
    else:
        ledger.note(connection, new.id, intent=intent)


def _answer(connection: Connection, new: NewPayment, outcome: Outcome) -> Answer:
    if not outcome.failure:
        return _described(ledger.by_idempotency_key(connection, new.idempotency_key))
    body = {"error": outcome.failure, "payment_id": str(new.id)}
    return Answer(502 if outcome.ours else 402, body)


def _described(payment: KnownPayment | None) -> Answer:
    if payment is None:
        return Answer(409, {"error": "the payment was removed meanwhile"})
    return Answer(
        200,
        {
            "payment_id": str(payment.id),
            "status": payment.status,
            "processor_ref": payment.processor_ref,
            "failure_code": payment.failure_code,
        },
    )
