"""Proxies of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from payops.domain.secret import masked_url, remember

if TYPE_CHECKING:
    import ssl

    from urllib3 import PoolManager


def proxy_for(url: str) -> str:
    """The proxy to reach `url` through; empty for none. Never one for loopback.

    `HTTP_PROXY` in capitals is ignored under CGI, as everywhere (httpoxy).
    """
    if not any(name.lower().endswith("_proxy") and value for name, value in os.environ.items()):
        return ""
    # Not imported without need: urllib.request is slow to load.
    from urllib import request

    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in {"localhost", "::1"} or host.startswith("127."):
        return ""
    proxies = request.getproxies_environment()
    bypass = request.proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed
    if bypass(parts.netloc.rpartition("@")[2], proxies):
        return ""
    proxy = proxies.get(parts.scheme.lower()) or proxies.get("all") or ""
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return proxy


def proxy_manager(proxy: str, context: ssl.SSLContext | None) -> PoolManager:
    """Pools that go through `proxy`; raises ValueError for one that cannot be used."""
    from urllib3 import ProxyManager, make_headers

    remember(proxy)
    try:
        parts = urlsplit(proxy)
        _ = parts.port
    except ValueError:  # its message may quote the password
        raise ValueError(
            "the proxy of the environment is no address: percent-encode its password"
        ) from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"a proxy of kind {parts.scheme}:// is not supported: {masked_url(proxy)}")
    headers = None
    if parts.username:
        user, password = unquote(parts.username), unquote(parts.password or "")
        headers = make_headers(proxy_basic_auth=f"{user}:{password}")
    return ProxyManager(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        proxy_headers=headers,
        ssl_context=context,
        proxy_ssl_context=context,
    )
