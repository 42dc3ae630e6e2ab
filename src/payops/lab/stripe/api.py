"""A request on its way through Stripe: faults, key, limits, idempotency, operation, answer."""

import asyncio
import json
import logging
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from payops.lab.stripe import forms, routes
from payops.lab.stripe.call import Call
from payops.lab.stripe.clock import Clock
from payops.lab.stripe.config import Config
from payops.lab.stripe.errors import StripeError, outage, rate_limited, unrecognized_url
from payops.lab.stripe.faults import Fault, Faults
from payops.lab.stripe.idempotency import Idempotency, Kept, digest
from payops.lab.stripe.keys import ApiKey, Keyring, masked
from payops.lab.stripe.limits import RateLimiter
from payops.lab.stripe.objects import new_id
from payops.lab.stripe.requestlog import RequestLog
from payops.lab.stripe.store import Store
from payops.lab.stripe.webhooks import Webhooks
from payops.lab.stripe.wire import Answer, Request

log = logging.getLogger(__name__)

_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?(; .*)?$")
ALLOWED = "GET, HEAD, POST, OPTIONS"


@dataclass(slots=True)
class _Exchange:
    """What is known of a request while it is answered."""

    request: Request
    request_id: str
    operation: str
    struck: Sequence[Fault]
    livemode: bool = False
    key: ApiKey | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, kind: str) -> Fault | None:
        return next((fault for fault in self.struck if fault.kind == kind), None)


class Api:
    """Stripe's API over a store. `handle` is the handler of its HTTP server."""

    def __init__(
        self, config: Config, store: Store, webhooks: Webhooks, clock: Clock, keyring: Keyring
    ) -> None:
        self.config = config
        self.store = store
        self.webhooks = webhooks
        self.clock = clock
        self.keyring = keyring
        self.limiter = RateLimiter(config.rate_limits)
        self.faults = Faults()
        self.requests = RequestLog()
        self.idempotency = Idempotency(store)
        # After a restart a seeded simulator goes on with ids that it has not given out yet.
        seed = config.seed and f"{config.seed} {store.setting('arrivals', 0)}"
        self.rng = random.Random(seed)

    async def handle(self, request: Request) -> Answer:
        """Answer one request; it never raises."""
        started = time.monotonic()
        found = routes.find(_method(request), request.path)
        operation = found[0].operation if found else f"{request.method} {request.path}"
        exchange = _Exchange(
            request,
            new_id("req", self.rng),
            operation,
            self.faults.strike(operation, request.path),
        )
        try:
            answer = await self._answer(exchange, found)
        except StripeError as error:
            answer = self._error(exchange, error)
        except Exception:
            log.exception("%s failed inside the simulator", operation)
            answer = self._error(exchange, outage(500))
        self._decorate(exchange, answer)
        self._record(exchange, answer, started)
        return answer

    async def _answer(self, exchange: _Exchange, found: tuple[routes.Route, str] | None) -> Answer:
        request = exchange.request
        lost = exchange.fault("hang") or exchange.fault("reset")
        if lost is not None and not lost.executes:
            await self._delay(exchange)
            return Answer(0, failure=lost.kind)
        if request.method == "OPTIONS":
            return Answer(200, b"", [("Allow", ALLOWED)])
        if found is None:
            raise unrecognized_url(request.method, request.path)
        route, id_ = found
        exchange.key = key = self.keyring.authenticate(
            request.headers.get("authorization", ""),
            publishable=route.operation == routes.BY_CLIENT_SECRET
            and "client_secret" in forms.decode(request.query),
        )
        exchange.livemode = key.livemode
        exchange.headers.append(("Stripe-Version", self._version(request)))
        if exchange.fault("429"):
            raise rate_limited("endpoint-rate")
        self.limiter.admit(route.operation, key.livemode)
        key.require(route.permission, route.access, key.account or self.config.account["id"])
        call = self._call(exchange, key)
        if request.method == "POST" and call.idempotency_key:
            answer = await self._once(exchange, call, route, id_)
        else:
            await self._delay(exchange)
            answer = self._execute(exchange, call, route, id_)
        if lost is not None:
            answer.failure = lost.kind
        return answer

    async def _once(self, exchange: _Exchange, call: Call, route: routes.Route, id_: str) -> Answer:
        """Carry a POST out under its idempotency key, or give the first answer again."""
        key = call.idempotency_key or ""
        where = f"{exchange.request.method} {exchange.request.path}"
        parameters = digest(exchange.request.body)
        kept = self.idempotency.begin(call.scope, key, where, parameters)
        if kept is not None:
            exchange.headers += [
                ("Original-Request", kept.request_id),
                ("Idempotent-Replayed", "true"),
            ]
            return Answer(kept.status, kept.body)
        try:
            await self._delay(exchange)
            executed = True
            try:
                answer = self._execute(exchange, call, route, id_)
            except StripeError as error:
                executed = error.executed
                answer = self._error(exchange, error)
            if executed:
                first = Kept(answer.status, answer.body, exchange.request_id)
                self.idempotency.keep(call.scope, key, where, parameters, first)
                exchange.headers.append(("Original-Request", exchange.request_id))
            return answer
        finally:
            self.idempotency.end(call.scope, key)

    def _execute(self, exchange: _Exchange, call: Call, route: routes.Route, id_: str) -> Answer:
        fault = exchange.fault("status")
        if fault is not None and not fault.executes:
            raise _status_error(fault.status)
        if exchange.request.method == "POST":
            # A declined card is an error that leaves its charge behind: it is kept, too.
            failure: StripeError | None = None
            with self.store.transaction():
                try:
                    body = route.run(call, id_)
                except StripeError as error:
                    if not error.executed:
                        raise
                    failure = error
            if failure is not None and fault is None:
                raise failure
        else:
            body = route.run(call, id_)
        if fault is not None:
            raise _status_error(fault.status)
        return Answer(200, body)

    async def _delay(self, exchange: _Exchange) -> None:
        slow = [fault.ms for fault in exchange.struck if fault.kind == "latency"]
        delay = self.config.latency_ms + sum(slow)
        if delay:
            await asyncio.sleep(delay / 1000)

    def _call(self, exchange: _Exchange, key: ApiKey) -> Call:
        request = exchange.request
        account = request.headers.get("stripe-account")
        if account == self.config.account["id"]:
            account = None
        if account is None and key.account:
            account = key.account
        elif account is not None:
            if self.store.body(account, kind="account") is None:
                raise routes.no_access_to(account)
            exchange.headers.append(("Stripe-Account", account))
        idempotency_key = None
        if request.method == "POST":
            idempotency_key = request.headers.get("idempotency-key") or None
        if idempotency_key:
            if len(idempotency_key) > 255:
                raise StripeError(400, "Idempotency keys are at most 255 characters long.")
            exchange.headers.append(("Idempotency-Key", idempotency_key))
        text = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
        return Call(
            store=self.store,
            webhooks=self.webhooks,
            clock=self.clock,
            rng=self.rng,
            parameters=forms.decode(text or request.query),
            livemode=key.livemode,
            account=account,
            request_id=exchange.request_id,
            idempotency_key=idempotency_key,
            api_version=self.config.api_version,
        )

    def _version(self, request: Request) -> str:
        version = request.headers.get("stripe-version", self.config.api_version)
        if not _VERSION.match(version):
            raise StripeError(400, f"Invalid Stripe API version: {version}")
        return version

    def _error(self, exchange: _Exchange, error: StripeError) -> Answer:
        body = error.body(exchange.request_id, exchange.livemode)
        return Answer(error.status, body, list(error.headers))

    def _decorate(self, exchange: _Exchange, answer: Answer) -> None:
        answer.headers += [
            ("Request-Id", exchange.request_id),
            ("Cache-Control", "no-cache, no-store"),
            *exchange.headers,
        ]
        if exchange.fault("wrong_json"):
            answer.body = b"<html><body>upstream connect error or disconnect</body></html>"
        if cut := exchange.fault("cut_body") or exchange.fault("slow_body"):
            answer.failure = answer.failure or cut.kind
            answer.ms = cut.ms

    def _record(self, exchange: _Exchange, answer: Answer, started: float) -> None:
        request = exchange.request
        self.requests.add(
            {
                "at": self.clock.now(),
                "operation": exchange.operation,
                "method": request.method,
                "path": request.path,
                "params": request.query or request.body[:4096].decode("utf-8", "replace"),
                "status": answer.status,
                "ms": round((time.monotonic() - started) * 1000, 2),
                "request_id": exchange.request_id,
                "key": masked(exchange.key.key) if exchange.key else None,
                "idempotency_key": request.headers.get("idempotency-key"),
                "user_agent": request.headers.get("user-agent"),
                "faults": [fault.kind for fault in exchange.struck],
            }
        )


def _method(request: Request) -> str:
    return "GET" if request.method == "HEAD" else request.method


def _status_error(status: int) -> StripeError:
    if status >= 500:
        return outage(status)
    if status == 429:
        return rate_limited("endpoint-rate")
    return StripeError(status, f"An error injected by the lab with status {status}.")


def dumps(value: object) -> bytes:
    """JSON for the control endpoint and the status page."""
    return json.dumps(value, indent=2).encode() + b"\n"
