"""Sends one of Stripe's events again: the only place that does.

By payops: the body as Stripe gives it, freshly signed, to one of the configured endpoints. By
Stripe: its own retry call, which its command line uses and its documentation does not tell of.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from payops.domain.secret import redact
from payops.domain.signature import signed_with
from payops.domain.text import harmless, shortened
from payops.errors import Failure, RefusedError, SourceError
from payops.sources.wire import Wire

if TYPE_CHECKING:
    from payops.config.sources import StripeSettings
    from payops.domain.deadline import Deadline
    from payops.domain.secret import Secret
    from payops.sources.wire import Reply

# Stripe does not publish how long it waits; a handler that needs longer than this does its work
# before it answers, which Stripe warns of.
ANSWER_S = 20.0
_MOST_BODY = 4096
_SAID = 100
# As Stripe's own deliveries, but for the name: this is a replay, and says so in the logs.
_HEADERS = {
    "User-Agent": "payops (replay of an event of Stripe's)",
    "Accept": "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
    # A connection that is kept may be closed by the other side in the very moment of the next
    # request, and nobody could tell whether that arrived.
    "Connection": "close",
}
# Nothing was sent: there was no connection to send it on.
_NOT_SENT = frozenset({Failure.REFUSED, Failure.DNS, Failure.TLS, Failure.UNREACHABLE})


@dataclass(frozen=True)
class Sent:
    """An answer. `location` is where a 3xx points, `said` the beginning of a body that is no 2xx's,
    harmless; both may be empty."""

    status: int
    latency_ms: float
    location: str = ""
    said: str = ""

    @property
    def accepted(self) -> bool:
        """Any 2xx, and nothing else: as Stripe counts."""
        return 200 <= self.status < 300


def never_sent(error: SourceError) -> bool:
    """Whether it is sure that the request did not arrive."""
    return error.kind in _NOT_SENT


def check_address(url: str, *, livemode: bool) -> None:
    """Raises RefusedError for an address that nothing is sent to: no URL, or http beyond this
    machine for live events, which hold customers' data."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RefusedError("the endpoint's url is no http or https address")
    if parts.scheme == "http" and livemode and not _loopback(parts.hostname):
        raise RefusedError(
            f"live events go over https only: {parts.hostname} is asked over http, and anybody on "
            "the way could read them",
            hint="correct the endpoint's url in webhooks.endpoints",
        )


class WebhookSender:
    """Sends one request at a time. Redirects are not followed, nothing is tried twice."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._wire = Wire("http")

    def send(self, url: str, body: bytes, secrets: Sequence[Secret]) -> Sent:
        """POST an event's body, signed now with each of the secrets, as Stripe does while one is
        rolled. Raises SourceError when there is no answer."""
        moment = int(time.time())
        signatures = [f"v1={signed_with(secret.reveal(), body, moment)}" for secret in secrets]
        header = ",".join([f"t={moment}", *signatures])
        address, login = _without_login(url)
        reply = self._wire.exchange(
            "POST",
            address,
            seconds=self._deadline.within(ANSWER_S),
            headers={**_HEADERS, **login, "Stripe-Signature": header},
            body=body,
            max_body=_MOST_BODY,
        )
        location = reply.headers.get("Location", "") if 300 <= reply.status < 400 else ""
        return Sent(
            reply.status,
            reply.latency_ms,
            harmless(redact(_absolute(address, location))) if location else "",
            "" if 200 <= reply.status < 300 else _beginning(reply),
        )

    def close(self) -> None:
        """Drop idle connections."""
        self._wire.close()


class StripeRetry:
    """`POST /v1/events/{id}/retry`: Stripe queues the event for one of its endpoints again.

    Stripe's command line does so (`stripe events resend`), its SDKs and its reference do not: it
    may change without notice.
    """

    def __init__(self, settings: StripeSettings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._wire = Wire("stripe")

    def send(self, event: str, webhook_endpoint: str) -> Sent:
        """Ask for it; Stripe's answer, not the endpoint's. Raises SourceError when there is none,
        or when the key does not count."""
        key = self._settings.secret_key
        version = self._settings.api_version
        base = self._settings.api_base.rstrip("/")
        reply = self._wire.exchange(
            "POST",
            f"{base}/v1/events/{quote(event, safe='')}/retry",
            seconds=self._deadline.within(float(self._settings.timeout)),
            headers={
                "Authorization": f"Bearer {key.reveal()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "User-Agent": "payops",
                **({"Stripe-Version": version} if version else {}),
            },
            body=urlencode({"webhook_endpoint": webhook_endpoint}).encode(),
            max_body=1 << 20,
        )
        if reply.status in {401, 403}:
            raise SourceError(
                "stripe",
                Failure.AUTHENTICATION if reply.status == 401 else Failure.PERMISSION,
                f"POST /v1/events/…/retry: HTTP {reply.status}",
                hint=f"{key.describe()} may not do that: leave --via out, and payops sends itself",
                http_status=reply.status,
            )
        said = "" if 200 <= reply.status < 300 else _beginning(reply)
        return Sent(reply.status, reply.latency_ms, said=said)

    def close(self) -> None:
        """Drop idle connections."""
        self._wire.close()


def _without_login(url: str) -> tuple[str, dict[str, str]]:
    """The address, and the header for the user and password in it: Stripe sends it so too."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, {}
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    header = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), header


def _absolute(address: str, location: str) -> str:
    """Where a `Location` points; as it is where that is no address (`http://[`): the event was sent
    all the same."""
    try:
        return urljoin(address, location)
    except ValueError:
        return location


def _beginning(reply: Reply) -> str:
    text = " ".join(reply.body.decode("utf-8", "replace").split())
    return shortened(harmless(redact(text)), _SAID)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False
