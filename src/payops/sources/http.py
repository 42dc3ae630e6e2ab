"""Plain HTTP, DNS and TLS probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from payops.domain.deadline import Deadline

Indicator = Literal["up", "degraded", "down", "unknown"]


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer of any status: 404 and 500 are answers too.

    `headers` have lower-case names. `body` holds at most `max_body` bytes, `cut` tells that there
    was more. `latency_ms` from connecting to the last byte read. `location` is where a 3xx points,
    absolute; empty otherwise. `url` is the one that answered.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    latency_ms: float
    as_of: datetime
    location: str


@dataclass(frozen=True)
class TlsFacts:
    """A server's certificate, valid or not.

    `version` as OpenSSL names it (`TLSv1.3`). `not_before` and `not_after` are aware UTC. `issuer`
    and `subject` are the common name, or the organisation. `names` are the DNS names and addresses
    that it is for. `verified` says whether chain, dates and name hold, `reason` why not.
    """

    version: str
    not_before: datetime
    not_after: datetime
    issuer: str
    subject: str
    names: tuple[str, ...]
    verified: bool
    reason: str
    as_of: datetime


@dataclass(frozen=True)
class StatusPage:
    """What a status page says: advisory, never above a probe of one's own."""

    indicator: Indicator
    message: str
    as_of: datetime


class HttpSource:
    """Probes addresses that the configuration names. Proxies of the environment are honoured."""

    def __init__(self, deadline: Deadline) -> None:
        raise NotImplementedError

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
        max_body: int = 65536,
    ) -> HttpAnswer:
        """One request, its answer whatever its status; `timeout` in seconds for all of it.

        A redirect is an answer and is not followed, except with `follow` (GET and HEAD, 3 hops,
        within the same `timeout`). Raises SourceError when there is no answer.
        """
        raise NotImplementedError

    def json(self, url: str, timeout: float) -> object:
        """The decoded JSON of `GET url`, redirects followed. Raises SourceError BAD_ANSWER,
        NOT_FOUND, SERVER_ERROR and so on for anything but 2xx with JSON."""
        raise NotImplementedError

    def resolve(self, host: str) -> tuple[str, ...]:
        """The addresses of a name, in the resolver's order. Raises SourceError DNS."""
        raise NotImplementedError

    def tls(self, host: str, port: int, timeout: float) -> TlsFacts:
        """The certificate of `host:port`, also when it does not verify."""
        raise NotImplementedError

    def status_page(self, url: str) -> StatusPage:
        """A status page in any of the three shapes seen of Stripe's; else `unknown`."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
