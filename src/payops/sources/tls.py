"""A server's certificate, read whether it verifies or not."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress

from payops.errors import Failure, SourceError
from payops.sources import clock, wire_errors
from payops.sources.bounded import CutOffError, bounded
from payops.sources.certificate import TlsFacts, read_certificate
from payops.sources.wire import tls_context


def probe(host: str, port: int, seconds: float) -> TlsFacts:
    """Shake hands with verification; where that fails, once more without, to read the certificate.

    `seconds` for both. Raises SourceError when there is no TLS to be had.
    """
    url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    end = time.monotonic() + seconds
    reason = ""
    try:
        try:
            version, der = _handshake(host, port, end, tls_context())
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message
            version, der = _handshake(host, port, end, _unverified())
        certificate = read_certificate(der)
    except CutOffError:
        raise wire_errors.too_slow("http", url, seconds, connected=True) from None
    except OSError as error:
        raise wire_errors.translate(error, "http", url, seconds) from error
    except ValueError as error:
        raise SourceError(
            "http", Failure.TLS, f"{host}:{port}: the certificate cannot be read: {error}"
        ) from error
    return TlsFacts(
        version=version,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        issuer=certificate.issuer,
        subject=certificate.subject,
        names=certificate.names,
        verified=not reason,
        reason=reason,
        as_of=clock.now(),
    )


def _handshake(host: str, port: int, end: float, context: ssl.SSLContext) -> tuple[str, bytes]:
    seconds = end - time.monotonic()
    opened: list[socket.socket] = []

    def call() -> tuple[str, bytes]:
        with socket.create_connection((host, port), timeout=seconds) as raw:
            opened.append(raw)
            with context.wrap_socket(raw, server_hostname=host) as secure:
                der = secure.getpeercert(binary_form=True)
                return secure.version() or "", der or b""

    def cut() -> None:
        for raw in opened:
            with suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)

    return bounded(seconds, call, cut=cut)


def _unverified() -> ssl.SSLContext:
    """Only to read a certificate that did not verify; nothing is sent over it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
