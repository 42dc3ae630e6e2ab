"""Stripe's API, read through the official SDK within a budget."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from payops.errors import Failure, SourceError
from payops.sources import clock
from payops.sources.pace import Pace
from payops.sources.stripe_objects import Account, Event

if TYPE_CHECKING:
    from payops.config.sources import StripeSettings
    from payops.domain.deadline import Deadline
    from payops.domain.secret import Secret
    from payops.sources.allowance import Allowance
    from payops.sources.wire import Reply

# 100 is the most that Stripe gives a page.
_PAGE = 100
# Requests at once after a pause: the checks of one run, without a wait for each other.
_BURST = 5
# A plain 429: 0.25, 0.5, 1, 2 s with full jitter, as long as the deadline allows.
_FIRST_BACKOFF = 0.25
_LONGEST_BACKOFF = 2.0
_MOST_ATTEMPTS = 5
# Worth one more try at once: the connection was lost, not slow.
_LOST = frozenset({Failure.CLOSED, Failure.REFUSED})


class HasId(Protocol):
    """What a list of Stripe's can be of: its cursor is the last object's id."""

    @property
    def id(self) -> str:
        """Stripe's id."""


T = TypeVar("T")
O = TypeVar("O", bound=HasId)  # noqa: E741  an object


@dataclass(frozen=True)
class Answer(Generic[T]):
    """One answer of Stripe's.

    `latency_ms` from the start of the request that was answered to its last byte, with connecting
    where that was needed, without retries and waiting for the budget; `date` is the server's own
    clock (`Date`, whole seconds, aware UTC), None when it sent none, and `received` ours when the
    answer was there.
    """

    value: T
    request_id: str
    latency_ms: float
    date: datetime | None
    received: datetime | None = None


@dataclass(frozen=True)
class Listing(Generic[T]):
    """Objects of one list, newest first.

    `complete` is False when `at_most` cut it off. `as_of` is the server's clock at the first page
    (our own where it sends none).
    """

    items: tuple[T, ...]
    complete: bool
    request_ids: tuple[str, ...]
    as_of: datetime


class _Page(msgspec.Struct, Generic[T], frozen=True):
    data: list[T]
    has_more: bool


class StripeSource:
    """Reads Stripe within a budget of requests per second; safe to share between threads.

    `calls` counts every request sent, retries too, `limited` those that were answered 429;
    `request_ids` are those of the answers, in order: what Stripe's support asks for.
    """

    def __init__(
        self, settings: StripeSettings, deadline: Deadline, allowance: Allowance | None = None
    ) -> None:
        from payops.sources.stripe_sdk import stripe
        from payops.sources.stripe_transport import Transport
        from payops.sources.wire import Wire

        self._stripe = stripe
        self._deadline = deadline
        self._allowance = allowance
        self._timeout = settings.timeout
        refuse_unsendable(settings.secret_key)
        self._key = settings.secret_key.describe()
        per_second = settings.max_requests_per_second
        self._pace = Pace(per_second, min(_BURST, per_second))
        self._transport = Transport(Wire("stripe"), pinned_version=bool(settings.api_version))
        self._client = stripe.StripeClient(
            settings.secret_key.reveal(),
            base_addresses={"api": settings.api_base.rstrip("/")},
            stripe_version=settings.api_version or None,
            max_network_retries=0,
            http_client=self._transport,
        )
        self._lock = Lock()
        self.calls = 0
        self.limited = 0
        self.request_ids: list[str] = []

    def get(
        self, path: str, into: type[T], *, tries: int = _MOST_ATTEMPTS, **params: Any
    ) -> Answer[T]:
        """`GET path` (`/v1/payment_intents/pi_…`), decoded into a msgspec type.

        `params` as Stripe names them: `created={"gte": 1}`, `expand=["latest_charge"]`. At most
        `tries` requests are sent for it, and never more than five. Raises SourceError.
        """
        reply = self._reply(path, params, min(tries, _MOST_ATTEMPTS))
        received = clock.now()
        request_id = reply.headers.get("Request-Id", "")
        try:
            value: T = _decoder(into).decode(reply.body)  # type: ignore[arg-type]  # types are hashable
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            from payops.sources.stripe_errors import not_understood

            raise not_understood(error, path, request_id) from error
        return Answer(
            value,
            request_id,
            reply.latency_ms,
            clock.http_date(reply.headers.get("Date")),
            received,
        )

    def list(self, path: str, into: type[O], *, at_most: int = 1000, **params: Any) -> Listing[O]:
        """All objects of a list, page by page, up to `at_most`. Raises SourceError."""
        items: list[O] = []
        request_ids: list[str] = []
        as_of: datetime | None = None
        more = True
        while more and len(items) < at_most:
            cursor: dict[str, Any] = {"starting_after": items[-1].id} if items else {}
            limit = min(_PAGE, at_most - len(items))
            page = self.get(path, _Page[into], **params, **cursor, limit=limit)  # type: ignore[valid-type]
            request_ids.append(page.request_id)
            as_of = as_of or page.date
            items.extend(page.value.data)
            more = page.value.has_more
            if more and not page.value.data:
                break  # a page that is empty and not the last would be asked for without end
        return Listing(tuple(items[:at_most]), not more, tuple(request_ids), as_of or clock.now())

    def event_body(self, event: str) -> bytes:
        """One event as Stripe gives it, byte for byte: what its endpoints are sent. Raises
        SourceError, NOT_FOUND after 30 days."""
        return self._reply(f"/v1/events/{quote(event, safe='')}", {}).body

    def account(self) -> Answer[Account]:
        """The account that the key belongs to.

        A restricted key without the permission raises SourceError PERMISSION, which proves that
        the key is valid.
        """
        return self.get("/v1/account", Account)

    def undelivered_events(self, since: datetime, at_most: int) -> Listing[Event]:
        """Events since `since` that at least one endpoint has not had (`delivery_success=false`),
        newest first. Stripe keeps events for 30 days."""
        return self.list(
            "/v1/events",
            Event,
            at_most=at_most,
            delivery_success=False,
            created={"gte": int(since.timestamp())},
        )

    def close(self) -> None:
        """Drop idle connections."""
        self._transport.close()

    def _reply(self, path: str, params: dict[str, Any], tries: int = _MOST_ATTEMPTS) -> Reply:
        """The first good answer, within the deadline and so many requests."""
        lost = False
        attempt = 1
        while True:
            try:
                return self._attempt(path, params)
            except SourceError as error:
                limited = error.kind is Failure.RATE_LIMITED and error.http_status == 429
                if attempt >= tries:
                    raise
                if limited:
                    longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** (attempt - 1))
                    pause = random.uniform(0, longest)  # noqa: S311  jitter
                elif not lost and self._worth_another(error):
                    lost = True
                    pause = random.uniform(0, _FIRST_BACKOFF)  # noqa: S311
                else:
                    raise
                if pause >= self._deadline.remaining:
                    raise
                if self._allowance is not None and not self._allowance.again():
                    raise
                attempt += 1
                time.sleep(pause)

    def _attempt(self, path: str, params: dict[str, Any]) -> Reply:
        if not self._pace.wait(self._deadline.remaining):
            raise SourceError(
                "stripe",
                Failure.RATE_LIMITED,
                f"GET {path}: payops' own budget of requests leaves no time before the deadline",
                hint="a longer --deadline, fewer checks, or more stripe.max_requests_per_second",
            )
        if self._allowance is not None:
            self._allowance.spend(path)
        seconds = self._deadline.within(self._timeout)
        self._transport.answer_within(seconds)
        if seconds > 0:
            with self._lock:
                self.calls += 1
        try:
            self._client.raw_request("get", path, **params)
        except self._stripe.StripeError as error:
            from payops.sources.stripe_errors import translate

            if error.http_status == 429:
                with self._lock:
                    self.limited += 1
            raise translate(
                error, key=self._key, path=path, request_id=self._keep_request_id()
            ) from error
        except ValueError as error:
            raise SourceError("stripe", Failure.REJECTED, f"not a path: {path!r}") from error
        self._keep_request_id()
        reply = self._transport.reply
        assert reply is not None  # noqa: S101  raw_request returned
        return reply

    def _keep_request_id(self) -> str:
        reply = self._transport.reply
        request_id = reply.headers.get("Request-Id", "") if reply is not None else ""
        if request_id:
            with self._lock:
                self.request_ids.append(request_id)
        return request_id

    def _worth_another(self, error: SourceError) -> bool:
        """Connection lost, or a 5xx or 409 that Stripe does not advise against; GET only."""
        if error.http_status is None:
            return error.kind in _LOST
        reply = self._transport.reply
        advice = reply.headers.get("Stripe-Should-Retry", "") if reply is not None else ""
        if advice:
            return advice == "true"
        return error.http_status >= 500 or error.http_status == 409


def refuse_unsendable(key: Secret) -> None:
    """Raises SourceError for a key that no HTTP header can carry, before a library shows it."""
    text = key.reveal()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise SourceError(
            "stripe",
            Failure.AUTHENTICATION,
            "stripe.secret_key holds a space, a line break or another character that no key has",
            hint="was it copied whole? `payops keys check` says what is wrong with it",
        )


@cache
def _decoder(into: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(into)
