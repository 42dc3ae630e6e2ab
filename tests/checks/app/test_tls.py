"""Are the certificates of the application's addresses good?"""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.checks.app.tls import CHECK
from payops.checks.hosts import Certificates, Certified, Host, hosts_of
from payops.domain.deadline import Deadline
from payops.domain.status import Status
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.certificate import TlsFacts
from payops.sources.http import HttpSource
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
    settings,
)

DAY = 86400
SHOP = Host("shop.example", 443, https=True)


def certified(left_s: float = 90 * DAY, *, verified: bool = True, reason: str = "") -> Certified:
    end = NOW + timedelta(seconds=left_s)
    start = end - timedelta(days=90)
    facts = TlsFacts("TLSv1.3", start, end, "R11", "shop", ("shop.example",), verified, reason, NOW)
    return Certified(SHOP, facts)


def of(*seen: Certified, **more: Any) -> Certificates:
    return Certificates(NOW, seen, **more)


@pytest.mark.parametrize(
    ("left_s", "status"),
    [
        (21 * DAY, "OK"),
        (21 * DAY - 1, "WARN"),
        (7 * DAY, "WARN"),
        (7 * DAY - 1, "CRIT"),
        (0, "CRIT"),
        (-DAY, "CRIT"),
    ],
)
def test_around_each_limit(left_s: float, status: str) -> None:
    result = judged(CHECK, of(certified(left_s)))
    assert_is(status, result, "the certificate of shop.example:443")
    assert bool(result.actions) == (status != "OK")
    assert result.measured["left"] == left_s


def test_a_chain_that_does_not_hold() -> None:
    seen = certified(verified=False, reason="unable to get local issuer certificate")
    result = judged(CHECK, of(seen))
    assert_crit(result, "does not verify: unable to get local issuer")
    assert result.actions[0].command.startswith("openssl s_client -connect shop.example:443")


def test_one_that_is_silent_is_as_configured() -> None:
    failure = SourceError("http", Failure.REFUSED, "x")
    silent = Certified(SHOP, failure=failure)
    assert_crit(judged(CHECK, of(silent, certified())), "no certificate of shop.example:443")
    assert_warn(judged(CHECK, of(silent, unreachable=Status.WARN)), "connection refused")


@pytest.mark.parametrize(
    ("kind", "text", "command"),
    [
        (Failure.DNS, "try another resolver", "getent hosts shop.example"),
        (Failure.REFUSED, "try another resolver", "openssl s_client -connect shop.example:443"),
        (Failure.TLS, "Renew or correct it", "openssl s_client -connect shop.example:443"),
    ],
)
def test_where_nobody_shows_a_certificate_none_is_to_be_renewed(
    kind: Failure, text: str, command: str
) -> None:
    failure = SourceError("http", kind, "x", hint="try another resolver")
    (action,) = judged(CHECK, of(Certified(SHOP, failure=failure))).actions
    assert action.text.startswith(text)
    assert action.command.startswith(command)


def test_in_clear() -> None:
    result = judged(CHECK, of(certified(), in_clear=(Host("shop.example", 80, https=False),)))
    assert_warn(result, "shop.example is asked over http")
    assert_ok(judged(CHECK, of()), "on this machine, over http")


@pytest.mark.parametrize(
    ("url", "host", "here"),
    [
        ("https://Shop.example/x", "shop.example:443", False),
        ("http://localhost:8000/", "localhost:8000", True),
        ("http://127.0.0.2/", "127.0.0.2:80", True),
        ("https://[::1]:8443/", "[::1]:8443", True),
        ("http://192.0.2.1/", "192.0.2.1:80", False),
    ],
)
def test_hosts_of_addresses(url: str, host: str, here: bool) -> None:
    (found,) = hosts_of([url, url, "ftp://x", "nothing", "http://[", "http://h:99999/"])
    assert (str(found), found.is_this_machine) == (host, here)


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(settings(app={"endpoints": [{"url": "/health"}]})))


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """A server with a certificate of its own making, for 30 days."""
    import socket

    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out",
         str(cert), "-days", "30", "-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                raw, _ = listening.accept()
                with suppress(OSError), context.wrap_socket(raw, server_side=True):
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def test_gather_against_a_real_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    http = HttpSource(Deadline.after(5))
    with tls_server(tmp_path) as port:
        configured = settings(
            app={"base_url": f"https://127.0.0.1:{port}", "endpoints": [{"url": "/health"}]},
            webhooks={"endpoints": [{"name": "lost", "url": "https://hooks.shop.invalid/x"}]},
        )
        result = judged(CHECK, gathered(CHECK, fake_context(configured, http=http)))
        assert_crit(result, "does not verify", f"127.0.0.1:{port}")
        assert "invalid" not in result.summary  # a name without an address is told by app.dns
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        found = gathered(CHECK, fake_context(configured, http=http))
        assert found.seen[0].facts.verified
    http.close()
