from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from payops.domain.deadline import Deadline
from payops.errors import Failure, SourceError
from payops.sources.http import HttpSource
from payops.sources.status_page import read_status_page
from sources.hanging import (
    at_most,
    closing,
    dripping,
    free_port,
    resetting,
    saying,
    serving,
    silent,
)


def answering(status: str, body: bytes = b"", **headers: str) -> Any:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return saying("\r\n".join([*lines, "", ""]).encode() + body)


def fails(call: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        call()
    assert caught.value.source == "http"
    return caught.value


def test_any_status_is_an_answer(http: HttpSource) -> None:
    with serving(answering("503 Busy", b"later", Date="Wed, 11 Feb 2026 09:30:00 GMT")) as port:
        answer = http.request("GET", f"http://127.0.0.1:{port}/health", timeout=2)
    assert (answer.status, answer.body, answer.cut) == (503, b"later", False)
    assert answer.headers["date"].startswith("Wed")
    assert answer.location == ""


def test_a_redirect_is_an_answer(http: HttpSource) -> None:
    with serving(answering("308 Moved", Location="/hook/")) as port:
        answer = http.request("POST", f"http://127.0.0.1:{port}/hook", timeout=2, body=b"{}")
        assert answer.status == 308
        assert answer.location == f"http://127.0.0.1:{port}/hook/"
        with at_most(5):  # without end, but three hops
            followed = http.request("GET", f"http://127.0.0.1:{port}/", timeout=5, follow=True)
        assert followed.status == 308


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/"])
def test_a_redirect_out_of_the_web_is_refused(http: HttpSource, target: str) -> None:
    with serving(answering("302 Found", Location=target)) as port:
        url = f"http://127.0.0.1:{port}/"
        error = fails(lambda: http.request("GET", url, timeout=1, follow=True))
    assert error.kind is Failure.BAD_ANSWER


@pytest.mark.parametrize(
    "target", ["http://localhost:{port}/", "http://169.254.169.254/latest", "//127.1.2.3/"]
)
def test_a_redirect_to_a_host_that_nobody_named_is_not_followed(
    http: HttpSource, target: str
) -> None:
    asked: list[bytes] = []

    def elsewhere(peer: socket.socket) -> None:
        asked.append(peer.recv(4096))

    with serving(elsewhere) as port:
        location = target.replace("{port}", str(port))
        with serving(answering("302 Found", Location=location)) as first:
            error = fails(lambda: http.status_page(f"http://127.0.0.1:{first}/current"))
    assert error.kind is Failure.BAD_ANSWER
    assert "which the configuration does not name" in error.message
    assert not asked


@pytest.mark.parametrize("target", ["http://[", "//[::1", "http://h:99999999/"])
def test_a_redirect_to_what_is_no_address(http: HttpSource, target: str) -> None:
    with serving(answering("302 Found", Location=target)) as port:
        url = f"http://127.0.0.1:{port}/"
        assert http.request("GET", url, timeout=1).status == 302
    # Another server: this one has hung up, which the client may see in time or not.
    with serving(answering("302 Found", Location=target)) as port:
        url = f"http://127.0.0.1:{port}/"
        assert fails(lambda: http.status_page(url)).kind is Failure.BAD_ANSWER


def test_the_body_is_capped(http: HttpSource) -> None:
    with serving(answering("200 OK", b"x" * 5000)) as port:
        url = f"http://127.0.0.1:{port}/"
        answer = http.request("GET", url, timeout=2, max_body=100)
    assert (len(answer.body), answer.cut) == (100, True)


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (silent, Failure.TIMED_OUT),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 99), Failure.TIMED_OUT),
        (closing, Failure.CLOSED),
        (resetting, Failure.CLOSED),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"), Failure.BAD_ANSWER),
        (saying(b"-ERR unknown command\r\n"), Failure.BAD_ANSWER),
    ],
)
def test_no_answer(http: HttpSource, behave: Any, kind: Failure) -> None:
    with serving(behave) as port, at_most(0.5):
        url = f"http://127.0.0.1:{port}/"
        error = fails(lambda: http.request("GET", url, timeout=0.5))
        assert error.kind is kind
        assert f"127.0.0.1:{port}" in error.message
        assert error.hint


def test_redirects_share_the_timeout(http: HttpSource) -> None:
    def slow(peer: socket.socket) -> None:
        peer.recv(4096)
        threading.Event().wait(0.4)
        peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\n\r\n")

    with serving(slow) as port, at_most(0.6):
        url = f"http://127.0.0.1:{port}/"
        error = fails(lambda: http.request("GET", url, timeout=0.6, follow=True))
    assert error.kind is Failure.TIMED_OUT


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://no-such-host.invalid/", Failure.DNS),
        ("http://127.0.0.1:{free}/", Failure.REFUSED),
        ("not a url", Failure.REJECTED),
        ("http://[::1/", Failure.REJECTED),
        ("gopher://127.0.0.1/", Failure.REJECTED),
    ],
)
def test_no_way_there(http: HttpSource, url: str, kind: Failure) -> None:
    assert (
        fails(lambda: http.request("GET", url.replace("{free}", str(free_port())), timeout=2)).kind
        is kind
    )


def test_a_proxy_that_is_down_is_named(http: HttpSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setenv("http_proxy", f"http://user:hunter22@127.0.0.1:{free_port()}")
    error = fails(lambda: http.request("GET", "http://example.invalid/", timeout=2))
    assert error.kind is Failure.UNREACHABLE
    assert "proxy" in error.message
    assert "hunter22" not in str(error)


@pytest.mark.parametrize("address", ["u:hunter23/x@[::1:1", "u:hunter23/p@33@127.0.0.1:1"])
def test_a_proxy_that_is_no_address_shows_no_password(
    http: HttpSource, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{address}")
    error = fails(lambda: http.request("GET", "http://example.invalid/", timeout=2))
    assert error.kind is Failure.REJECTED
    assert "proxy" in error.message
    assert "hunter" not in str(error)


def test_requests_go_through_the_proxy_but_not_to_loopback(
    http: HttpSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        serving(answering("200 OK", b"by proxy")) as proxy,
        serving(answering("200 OK", b"direct")) as port,
    ):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        far = http.request("GET", "http://example.invalid/", timeout=2)
        near = http.request("GET", f"http://127.0.0.1:{port}/", timeout=2)
        monkeypatch.setenv("no_proxy", "example.invalid")
        error = fails(lambda: http.request("GET", "http://example.invalid/", timeout=2))
    assert (far.body, near.body) == (b"by proxy", b"direct")
    assert error.kind is Failure.DNS


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("200 OK", b"<html>", Failure.BAD_ANSWER),
        ("200 OK", b"\xff\xfe", Failure.BAD_ANSWER),
        ("200 OK", b"[" * 50_000, Failure.BAD_ANSWER),
        ("200 OK", b'{"x": NaN}', Failure.BAD_ANSWER),
        ("404 No", b"{}", Failure.NOT_FOUND),
        ("429 Slow", b"{}", Failure.RATE_LIMITED),
        ("500 No", b"{}", Failure.SERVER_ERROR),
        ("403 No", b"{}", Failure.PERMISSION),
    ],
)
def test_json_is_json_or_an_error(
    http: HttpSource, status: str, body: bytes, kind: Failure
) -> None:
    with serving(answering(status, body)) as port:
        error = fails(lambda: http.json(f"http://127.0.0.1:{port}/", 2))
    assert error.kind is kind


@pytest.mark.parametrize(
    ("page", "indicator", "message"),
    [
        ({"largestatus": "up", "message": "ok", "time": "now", "statuses": {}}, "up", "ok"),
        ({"largestatus": "degraded", "message": "slow"}, "degraded", "slow"),
        (
            {
                "UptimeStatus": "down",
                "message": "",
                "uptimeData": [{"key": "api", "title": "API", "warning": True}],
            },
            "down",
            "trouble with API",
        ),
        ({"status": {"indicator": "none", "description": "fine"}}, "up", "fine"),
        ({"status": {"indicator": "minor"}}, "degraded", ""),
        ({"status": {"indicator": "critical", "description": "\x1b[2J"}}, "down", "\\x1b[2J"),
        ({"status": {"indicator": "purple"}}, "unknown", ""),
        ({"something": "else"}, "unknown", "the status page has an unknown shape"),
        (None, "unknown", "the status page has an unknown shape"),
    ],
)
def test_status_pages(page: object, indicator: str, message: str) -> None:
    from payops.sources import clock

    read = read_status_page(page, clock.now())
    assert (read.indicator, read.message) == (indicator, message)


@pytest.mark.parametrize("path", ["/current", "/current/full", "/api/v2/status.json"])
def test_status_page_of_the_simulator(
    http: HttpSource, simulator: Any, control: Any, path: str
) -> None:
    assert http.status_page(simulator.status_url + path).indicator == "up"
    control("PUT", "/status", {"state": "down", "message": "API is down"})
    assert http.status_page(simulator.status_url + path).indicator == "down"
    control("PUT", "/status", {"unknown_shape": True})
    assert http.status_page(simulator.status_url + path).indicator == "unknown"


def test_resolve(http: HttpSource) -> None:
    assert "127.0.0.1" in http.resolve("localhost")
    assert fails(lambda: http.resolve("no-such-host.invalid")).kind is Failure.DNS


# TLS


def certificate(folder: Path, *, names: str) -> tuple[Path, Path]:
    """A key and a certificate that signs itself, for 30 days."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", cert, "-subj", "/O=Shop/CN=shop.test",
         "-addext", f"subjectAltName={names}", "-days", "30"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


def expire(cert: Path) -> None:
    """Rewrite its last day; nobody checks the signature of a root."""
    der = ssl.PEM_cert_to_DER_cert(cert.read_text())
    first, last = re.findall(rb"\d{12}Z", der)[:2]
    old = der.replace(last, b"200201000000Z").replace(first, b"200101000000Z")
    cert.write_text(ssl.DER_cert_to_PEM_cert(old))


@contextmanager
def tls_server(key: Path, cert: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def behave(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            secure.recv(100)

    with serving(behave) as port:
        yield port


def test_tls_of_a_certificate_that_nobody_trusts(http: HttpSource, tmp_path: Path) -> None:
    names = "DNS:shop.test,DNS:*.shop.test,IP:127.0.0.1,IP:::1"
    with tls_server(*certificate(tmp_path, names=names)) as port:
        facts = http.tls("127.0.0.1", port, 2)
    assert not facts.verified
    assert "self" in facts.reason
    assert facts.names == ("shop.test", "*.shop.test", "127.0.0.1", "::1")
    assert facts.issuer == facts.subject == "shop.test"
    assert facts.version == "TLSv1.3"
    assert 29 <= (facts.not_after - facts.as_of).days <= 30


def test_tls_verified(http: HttpSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, cert = certificate(tmp_path, names="IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with tls_server(key, cert) as port:
        assert http.tls("127.0.0.1", port, 2).verified
        wrong_name = http.tls("localhost", port, 2)
    assert not wrong_name.verified
    assert "localhost" in wrong_name.reason


def test_tls_of_an_expired_certificate(
    http: HttpSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, cert = certificate(tmp_path, names="IP:127.0.0.1")
    expire(cert)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with tls_server(key, cert) as port:
        facts = http.tls("127.0.0.1", port, 2)
        error = fails(lambda: http.request("GET", f"https://127.0.0.1:{port}/", timeout=2))
    assert "expired" in facts.reason
    assert facts.not_after.isoformat() == "2020-02-01T00:00:00+00:00"
    assert error.kind is Failure.TLS
    assert "expired" in error.message


@pytest.mark.parametrize(
    ("behave", "kinds"),
    [
        (silent, {Failure.TIMED_OUT}),
        (closing, {Failure.CLOSED}),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {Failure.TLS}),
    ],
)
def test_no_tls(behave: Any, kinds: set[Failure]) -> None:
    source = HttpSource(Deadline.after(5))
    with serving(behave) as port, at_most(0.5):
        assert fails(lambda: source.tls("127.0.0.1", port, 0.5)).kind in kinds
