"""Pages of Stripe's lists, many and fast: no SDK objects, the same key, headers and errors.

The SDK says what to send (asked once) and what an error means; the requests go straight over the
wire, each thread on a connection of its own that is kept alive. An answer that can be asked for
again (429, 5xx, a lost connection, a body that was cut off) is, with backoff and jitter.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from payops.errors import Failure, SourceError
from payops.sources import clock
from payops.sources.stripe import refuse_unsendable
from payops.sources.stripe_errors import not_understood, translate
from payops.sources.stripe_pages_pace import FetchPace
from payops.sources.stripe_sdk import stripe
from payops.sources.stripe_transport import MOST_BODY, refuse_cut
from payops.sources.wire import Reply, Wire

if TYPE_CHECKING:
    from payops.config.sources import StripeSettings
    from payops.domain.deadline import Deadline
    from payops.sources.allowance import Allowance
    from payops.sources.stripe_rows import ListKind

PAGE = 100  # the most that Stripe gives
# Rows are decoded by name, so the version is our choice where the configuration pins none:
# `latest_charge` came with 2022-11-15, and an older account's default lacks it.
_VERSION = "2024-06-20"
# A page of 100 objects takes longer than one object; settings.timeout is for that.
_SHORTEST_TIMEOUT = 10.0
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 8.0
# In a row, for one page. A 429 goes on for longer, since it passes and the pace slows down.
_MOST_ATTEMPTS = 5
_MOST_LIMITED = 12
_AGAIN = frozenset(
    {
        Failure.CLOSED,
        Failure.REFUSED,
        Failure.TIMED_OUT,
        Failure.UNREACHABLE,
        Failure.DNS,
        Failure.BAD_ANSWER,
        Failure.SERVER_ERROR,
    }
)


@dataclass(frozen=True)
class Page:
    """One answer: objects newest first. `date` is the server's clock, ours where it sent none."""

    data: list[Any]
    has_more: bool
    date: datetime
    latency_s: float


class StoppedError(Exception):
    """The fetch is being given up: by ^C, because another request failed for good, or because its
    deadline is over while Stripe still answers."""


class StripePages:
    """Reads pages within the request budget; safe to share between threads.

    `calls` counts every request sent, retries too. No request outlives the `deadline`.
    """

    def __init__(
        self,
        settings: StripeSettings,
        *,
        pace: FetchPace | None = None,
        deadline: Deadline | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        refuse_unsendable(settings.secret_key)
        key = settings.secret_key.reveal()
        self._base = settings.api_base.rstrip("/")
        self._fingerprint = settings.secret_key.describe()
        self._timeout = max(float(settings.timeout), _SHORTEST_TIMEOUT)
        self._sdk = _Sdk(key, self._base, settings.api_version or _VERSION)
        self._headers = {**self._sdk.headers(), "Accept-Encoding": "gzip"}
        self.pace = pace or FetchPace.of(settings.max_requests_per_second, test="_test_" in key[:9])
        self._deadline = deadline
        self._allowance = allowance
        self._answered_at: float | None = None
        self._here = threading.local()
        self._wires: list[Wire] = []
        self._lock = threading.Lock()
        self.calls = 0

    def page(
        self,
        kind: ListKind,
        stop: threading.Event,
        *,
        since: int | None = None,
        until: int | None = None,
        after: str = "",
        types: Sequence[str] = (),
        **filters: str,
    ) -> Page:
        """Objects created from `since` to before `until`, older than the object `after`.

        `types` are of events, 20 at most: all when empty.

        Raises SourceError once it is given up, StoppedError when `stop` was set meanwhile or the
        deadline is over.
        """
        query = [f"limit={PAGE}"]
        query += [f"created%5Bgte%5D={since}"] if since is not None else []
        query += [f"created%5Blt%5D={until}"] if until is not None else []
        query += [f"starting_after={quote(after)}"] if after else []
        query += [f"types%5B%5D={quote(each)}" for each in types]
        query += [f"{name}={quote(value)}" for name, value in filters.items()]
        query += [f"expand%5B%5D={quote(each)}" for each in kind.expand]
        reply, decoded = self._answer(kind, f"{self._base}{kind.path}?{'&'.join(query)}", stop)
        date = clock.http_date(reply.headers.get("Date")) or clock.now()
        return Page(decoded.data, decoded.has_more, date, reply.latency_ms / 1000)

    def close(self) -> None:
        """Drop idle connections."""
        with self._lock:
            for wire in self._wires:
                wire.close()
            self._wires.clear()

    def _answer(self, kind: ListKind, url: str, stop: threading.Event) -> tuple[Reply, Any]:
        attempt = 0
        while True:
            attempt += 1
            if not self.pace.wait(kind.path, stop) or self._over:
                raise StoppedError
            try:
                answer = self._attempt(kind, url)
            except SourceError as error:
                limited = error.kind is Failure.RATE_LIMITED or error.http_status == 429
                if limited:
                    self.pace.limited()
                if not limited and not _worth_another(error):
                    raise
                if attempt >= (_MOST_LIMITED if limited else _MOST_ATTEMPTS):
                    raise _given_up(error, attempt) from error
                if self._allowance is not None and not self._allowance.again():
                    raise _given_up(error, attempt) from error
                if self._waits(stop, attempt):
                    continue
                if self._over and not limited and not self.answered_lately:
                    raise _given_up(error, attempt) from error
                raise StoppedError from error
            self.pace.answered()
            self._answered_at = time.monotonic()
            return answer

    def _waits(self, stop: threading.Event, attempt: int) -> bool:
        """Back off after an attempt; False when there is no use in another."""
        longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** (attempt - 1))
        seconds = longest * random.uniform(0.5, 1)  # noqa: S311  jitter
        if self._deadline is not None:
            seconds = self._deadline.within(seconds)
        return not stop.wait(seconds) and not self._over

    @property
    def _over(self) -> bool:
        return self._deadline is not None and not self._deadline.remaining

    @property
    def answered_lately(self) -> bool:
        """Whether somebody was answered while a request may take: then Stripe is not to blame for
        what was cut off by the deadline."""
        at = self._answered_at
        return at is not None and time.monotonic() - at < self._timeout

    def _attempt(self, kind: ListKind, url: str) -> tuple[Reply, Any]:
        if self._allowance is not None:
            self._allowance.spend(kind.path)
        with self._lock:
            self.calls += 1
        seconds = self._deadline.within(self._timeout) if self._deadline else self._timeout
        reply = self._wire.exchange(
            "GET", url, seconds=seconds, headers=self._headers, max_body=MOST_BODY
        )
        refuse_cut(reply, url)
        request_id = reply.headers.get("Request-Id", "")
        if reply.status != 200:
            raise self._error(reply, kind.path, request_id)
        try:
            return reply, kind.decode(reply.body)
        except msgspec.ValidationError as error:
            raise _odd(not_understood(error, kind.path, request_id)) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(
                "stripe",
                Failure.BAD_ANSWER,
                f"GET {kind.path}: no JSON, or cut off",
                hint="something other than Stripe answers: look at stripe.api_base and the proxy",
                request_id=request_id,
                http_status=200,
            ) from error

    def _error(self, reply: Reply, path: str, request_id: str) -> SourceError:
        try:
            self._sdk.tell(reply, path)
        except stripe.StripeError as error:
            return translate(error, key=self._fingerprint, path=path, request_id=request_id)
        return SourceError(
            "stripe",
            Failure.BAD_ANSWER,
            f"GET {path}: HTTP {reply.status}",
            hint="something other than Stripe answers: look at stripe.api_base and the proxy",
            request_id=request_id,
            http_status=reply.status,
        )

    @property
    def _wire(self) -> Wire:
        """This thread's own: a pool keeps one connection."""
        wire: Wire | None = getattr(self._here, "wire", None)
        if wire is None:
            wire = self._here.wire = Wire("stripe")
            with self._lock:
                self._wires.append(wire)
        return wire


class _Sdk:
    """The SDK without a network: which headers it sends, and what it makes of an answer."""

    def __init__(self, key: str, base: str, version: str) -> None:
        self._script = _Script()
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base},
            stripe_version=version,
            max_network_retries=0,
            http_client=self._script,
        )
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        with self._lock:
            self._script.reply = ("{}", 200, {})
            self._client.raw_request("get", "/v1/payment_intents")
            return dict(self._script.headers)

    def tell(self, reply: Reply, path: str) -> None:
        """Raise the SDK's error of an answer."""
        with self._lock:
            body = reply.body.decode("utf-8", "replace")
            self._script.reply = (body, reply.status, reply.headers)
            self._client.raw_request("get", path)


class _Script(stripe.HTTPClient):
    name = "urllib3"

    def __init__(self) -> None:
        super().__init__()
        self.reply: tuple[str, int, Mapping[str, str]] = ("{}", 200, {})
        self.headers: Mapping[str, str] = {}

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        self.headers = headers or {}
        return self.reply

    def close(self) -> None:
        """Nothing is open."""


def _odd(error: SourceError) -> SourceError:
    """Complete JSON that is not what it should be: asking again would not change it."""
    error.code = _NOT_THE_OBJECT
    return error


_NOT_THE_OBJECT = "not_the_object"


def _worth_another(error: SourceError) -> bool:
    """Lost, late, cut off or Stripe's own trouble; 409 is a lock that another request holds."""
    if error.code == _NOT_THE_OBJECT:
        return False
    status = error.http_status
    if status is not None and 300 <= status < 500:
        return status in (409, 424)
    return error.kind in _AGAIN


def _given_up(error: SourceError, attempts: int) -> SourceError:
    return SourceError(
        error.source,
        error.kind,
        f"{error.message} ({attempts} times in a row, given up)",
        hint=error.hint,
        request_id=error.request_id,
        http_status=error.http_status,
        code=error.code,
    )
