"""One HTTP exchange over urllib3: bounded in time, no retries, no redirects.

Both Stripe's transport and the HTTP probes stand on it. TLS is verified against the system's
certificate store (`SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`), proxies are the environment's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from urllib3 import PoolManager, Timeout
from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from payops.errors import Failure, SourceError
from payops.sources import wire_errors
from payops.sources.bounded import CutOffError, bounded
from payops.sources.proxies import proxy_for, proxy_manager
from payops.sources.watched import Watch, watch_pools

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class Reply:
    """Status, headers and body of an answer; `cut` when the body was longer than asked for."""

    status: int
    headers: HTTPHeaderDict
    body: bytes
    cut: bool
    latency_ms: float


class Wire:
    """HTTP for one source; `source` names it in errors. Safe to share between threads."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._pools: dict[tuple[str, bool], PoolManager] = {}
        self._lock = threading.Lock()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_body: int,
    ) -> Reply:
        """Send one request and read the answer, `seconds` for all of it. Raises SourceError."""
        watch = Watch()
        began = time.monotonic()

        def call() -> Reply:
            pools = self._pool(url)
            with watch.this_thread():
                response = pools.request(
                    method,
                    url,
                    body=body,
                    headers=headers,
                    timeout=Timeout(connect=seconds, read=seconds),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                try:
                    text = response.read(max_body + 1, decode_content=True)
                    if len(text) <= max_body:
                        response.release_conn()
                finally:
                    # A body that was not read to its end leaves the connection of no more use.
                    if not response.closed:
                        response.close()
            return Reply(
                response.status,
                HTTPHeaderDict(response.headers),
                text[:max_body],
                len(text) > max_body,
                (time.monotonic() - began) * 1000,
            )

        try:
            return bounded(seconds, call, cut=watch.cut)
        except CutOffError:
            raise wire_errors.too_slow(self._source, url, seconds, watch.connected) from None
        except (HTTPError, OSError, ValueError) as error:
            raise wire_errors.translate(error, self._source, url, seconds) from error

    def close(self) -> None:
        """Drop idle connections."""
        for pools in list(self._pools.values()):
            pools.clear()

    def _pool(self, url: str) -> PoolManager:
        proxy = proxy_for(url)
        secure = url[:6].lower() == "https:" or proxy[:6].lower() == "https:"
        with self._lock:
            key = (proxy, secure)
            if key not in self._pools:
                context = tls_context() if secure else None
                made = proxy_manager(proxy, context) if proxy else PoolManager(ssl_context=context)
                self._pools[key] = watch_pools(made)
            return self._pools[key]


def tls_context() -> ssl.SSLContext:
    """A verifying context: the system's store, or certifi's where the system has none.

    Reading a store takes some 30 ms, so a process does it once for what the environment names.
    Raises SourceError TLS when it cannot be read.
    """
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
    with _tls_lock:
        return _tls_context(
            bundle, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
        )


_tls_lock = threading.Lock()


@cache
def _tls_context(bundle: str, *_openssl: str) -> ssl.SSLContext:
    import ssl

    try:
        context = ssl.create_default_context()
        if bundle:
            place = {"capath": bundle} if os.path.isdir(bundle) else {"cafile": bundle}
            context.load_verify_locations(**place)
        elif not any(ssl.get_default_verify_paths()[:2]):
            import certifi

            context.load_verify_locations(certifi.where())
    except (OSError, ImportError) as error:
        raise SourceError(
            "http",
            Failure.TLS,
            f"the certificates to verify against cannot be read: {error}",
            hint="look at SSL_CERT_FILE and REQUESTS_CA_BUNDLE",
        ) from error
    return context
