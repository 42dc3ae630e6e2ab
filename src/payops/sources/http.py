"""Plain HTTP, DNS and TLS probes of the addresses that the configuration names."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from payops.errors import Failure, SourceError
from payops.sources import clock
from payops.sources.certificate import TlsFacts
from payops.sources.status_page import Indicator, StatusPage, read_status_page

if TYPE_CHECKING:
    from payops.domain.deadline import Deadline
    from payops.sources.tcp import Connected

__all__ = ["HttpAnswer", "HttpSource", "Indicator", "StatusPage", "TlsFacts"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS = 3
# Somebody else's page, advisory only: it must not hold up the rest.
_STATUS_PAGE_S = 4.0
_RESOLVE_S = 3.0
_MOST_JSON = 1024 * 1024
# A probe connects anew: what it measures is what a new client sees.
_HEADERS = {"User-Agent": "payops", "Connection": "close"}


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer of any status: 404 and 500 are answers too.

    `headers` have lower-case names. `body` holds at most `max_body` bytes, `cut` tells that there
    was more. `latency_ms` from connecting to the last byte read, of the last hop. `location` is
    where a 3xx points, absolute; empty otherwise. `url` is the one that answered.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    latency_ms: float
    as_of: datetime
    location: str


class HttpSource:
    """Probes over HTTP. Proxies of the environment are honoured, certificates verified."""

    def __init__(self, deadline: Deadline) -> None:
        from payops.sources.wire import Wire

        self._deadline = deadline
        self._wire = Wire("http")

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

        A redirect is an answer and is not followed, except with `follow` (GET and HEAD, 3 hops on
        the same host, within the same `timeout`, `headers` not to another port). Raises SourceError
        when there is no answer.
        """
        end = time.monotonic() + self._deadline.within(timeout)
        sent = {**_HEADERS, **(headers or {})}
        answer = self._once(method, url, end, body, sent, max_body)
        hops = 0
        while follow and method in ("GET", "HEAD") and answer.location and hops < _MOST_HOPS:
            hops += 1
            _refuse_elsewhere(answer)
            same = urlsplit(answer.location).netloc == urlsplit(url).netloc
            kept = sent if same else _HEADERS
            answer = self._once(method, answer.location, end, None, kept, max_body)
        return answer

    def json(self, url: str, timeout: float) -> object:
        """The decoded JSON of `GET url`, redirects followed.

        Raises SourceError for anything but 2xx with JSON: NOT_FOUND, SERVER_ERROR, RATE_LIMITED,
        REJECTED, or BAD_ANSWER.
        """
        return self._json(url, timeout)[0]

    def resolve(self, host: str) -> tuple[str, ...]:
        """The addresses of a name, in the resolver's order. Raises SourceError DNS."""
        import socket

        from payops.sources import wire_errors
        from payops.sources.bounded import CutOffError, bounded

        seconds = self._deadline.within(_RESOLVE_S)
        try:
            found = bounded(
                seconds, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            )
        except CutOffError as error:
            raise SourceError(
                "http",
                Failure.DNS,
                f"{host}: the resolver did not answer within {seconds:.1f} s",
                hint="look at this machine's DNS servers (/etc/resolv.conf)",
            ) from error
        except (OSError, UnicodeError) as error:
            raise wire_errors.translate(error, "http", f"//{host}", seconds) from error
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    def connect(self, addresses: Sequence[str], port: int, timeout: float) -> tuple[Connected, ...]:
        """TCP to each address at once, `timeout` in seconds for all. Direct, not through a proxy.
        Never raises: each answer holds its own failure."""
        from payops.sources.tcp import connect_each

        return connect_each(addresses, port, self._deadline.within(timeout))

    def proxied(self, url: str) -> bool:
        """Whether requests to `url` go through a proxy of the environment."""
        from payops.sources.proxies import proxy_for

        return bool(proxy_for(url))

    def tls(self, host: str, port: int, timeout: float) -> TlsFacts:
        """The certificate of `host:port`, also when it does not verify. Direct, not through a
        proxy. Raises SourceError when there is no TLS to be had."""
        from payops.sources.tls import probe

        return probe(host, port, self._deadline.within(timeout))

    def status_page(self, url: str) -> StatusPage:
        """A status page in any of the three shapes seen of Stripe's; an unknown shape is
        `unknown`. Raises SourceError when the page cannot be had."""
        page, as_of = self._json(url, _STATUS_PAGE_S)
        return read_status_page(page, as_of)

    def close(self) -> None:
        """Drop idle connections."""
        self._wire.close()

    def _once(
        self,
        method: str,
        url: str,
        end: float,
        body: bytes | None,
        headers: Mapping[str, str],
        max_body: int,
    ) -> HttpAnswer:
        reply = self._wire.exchange(
            method,
            url,
            seconds=end - time.monotonic(),
            headers=headers,
            body=body,
            max_body=max_body,
        )
        location = reply.headers.get("Location", "") if reply.status in _REDIRECTS else ""
        return HttpAnswer(
            url=url,
            status=reply.status,
            headers={name.lower(): value for name, value in reply.headers.items()},
            body=reply.body,
            cut=reply.cut,
            latency_ms=reply.latency_ms,
            as_of=clock.now(),
            location=_absolute(url, location),
        )

    def _json(self, url: str, timeout: float) -> tuple[object, datetime]:
        import msgspec

        answer = self.request("GET", url, timeout=timeout, follow=True, max_body=_MOST_JSON)
        if not 200 <= answer.status < 300:
            raise _bad_status(answer)
        try:
            return msgspec.json.decode(answer.body), answer.as_of
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SourceError(
                "http",
                Failure.BAD_ANSWER,
                f"{answer.url}: the body is not JSON",
                hint="a login page or a proxy's answer? Open the address in a browser",
                http_status=answer.status,
            ) from error


def _absolute(url: str, location: str) -> str:
    """Where a `Location` points; as it is where that is no address (`http://[`)."""
    try:
        return urljoin(url, location) if location else ""
    except ValueError:
        return location


def _bad_status(answer: HttpAnswer) -> SourceError:
    kinds = {404: Failure.NOT_FOUND, 410: Failure.NOT_FOUND, 429: Failure.RATE_LIMITED}
    kinds |= {401: Failure.AUTHENTICATION, 403: Failure.PERMISSION}
    kind = kinds.get(answer.status, Failure.REJECTED)
    if answer.status >= 500:
        kind = Failure.SERVER_ERROR
    elif answer.status < 400:
        kind = Failure.BAD_ANSWER
    return SourceError(
        "http", kind, f"{answer.url}: HTTP {answer.status}", http_status=answer.status
    )


def _refuse_elsewhere(answer: HttpAnswer) -> None:
    """https must not lead to http, nor anything to what the configuration does not name: a host
    inside the network that only we can reach, say."""
    before = urlsplit(answer.url)
    try:
        after = urlsplit(answer.location)
    except ValueError:
        after = urlsplit("")
    if after.scheme not in ("http", "https") or (before.scheme, after.scheme) == ("https", "http"):
        what = f"from {before.scheme} to {after.scheme or 'what is no address'}"
    elif before.hostname != after.hostname:
        what = f"to {after.hostname}, which the configuration does not name"
    else:
        return
    raise SourceError(
        "http",
        Failure.BAD_ANSWER,
        f"{answer.url}: redirected {what}",
        hint="correct the address in the configuration",
        http_status=answer.status,
    )
