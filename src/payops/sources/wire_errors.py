"""What urllib3's and the operating system's errors mean."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from urllib.parse import urlsplit

from urllib3 import exceptions as u

from payops.domain.secret import redact
from payops.errors import Failure, SourceError

# The hint of each kind; `{host}` is host:port of the address.
_HINTS = {
    Failure.REFUSED: "nothing listens on {host}: is it running, and is the port right?",
    Failure.TIMED_OUT: "look at {host}: overloaded, hung, or a firewall that drops packets",
    Failure.DNS: "try `getent hosts {name}`: the name is wrong or this machine's DNS is broken",
    Failure.TLS: "try `openssl s_client -connect {host} -servername {name}`",
    Failure.UNREACHABLE: "no way to {host} from here: network, VPN, firewall or proxy",
    Failure.CLOSED: "{host} or something before it hung up: look at its logs and the proxy's",
    Failure.BAD_ANSWER: "something that is not the expected server answers on {host}",
    Failure.REJECTED: "correct the URL in the configuration",
}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


def too_slow(source: str, url: str, seconds: float, connected: bool) -> SourceError:
    """The exchange was cut off."""
    state = "connected, but no full answer" if connected else "no connection"
    return _error(source, Failure.TIMED_OUT, f"{state} within {seconds:.1f} s", url)


def translate(error: Exception, source: str, url: str, seconds: float) -> SourceError:
    """An error of urllib3, http.client, ssl or the operating system as a SourceError."""
    kind, what = classify(error)
    if kind is Failure.TIMED_OUT:
        what = f"no answer within {seconds:.1f} s"
    return _error(source, kind, what, url)


def classify(error: BaseException) -> tuple[Failure, str]:
    """Kind of failure, and one line about it, from the most telling error in the chain."""
    chain = list(_chain(error))
    if any(isinstance(each, u.ProxyError) for each in chain):
        return Failure.UNREACHABLE, f"the proxy failed: {_text(chain[-1])}"
    for each in chain:
        found = _classify_one(each)
        if found is not None:
            return found
    if isinstance(error, ValueError) and not isinstance(error, u.HTTPError):
        return Failure.REJECTED, _text(error)
    return Failure.UNREACHABLE, _text(error)


def _classify_one(error: BaseException) -> tuple[Failure, str] | None:
    match error:
        case ssl.SSLCertVerificationError():
            return Failure.TLS, f"the certificate does not verify: {error.verify_message}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return Failure.CLOSED, "the server hung up during TLS"
        case ssl.SSLError() if not isinstance(error, TimeoutError):
            return Failure.TLS, (error.reason or _text(error)).replace("_", " ").lower()
        case u.NameResolutionError() | socket.gaierror() | UnicodeError():
            return Failure.DNS, "the name does not resolve"
        case u.LocationParseError() | u.LocationValueError() | u.URLSchemeUnknown():
            return Failure.REJECTED, _text(error)
        case u.IncompleteRead() | IncompleteRead() | u.InvalidChunkLength():
            return Failure.BAD_ANSWER, "the answer was cut off"
        case u.DecodeError():
            return Failure.BAD_ANSWER, "the body is not what its Content-Encoding says"
        case RemoteDisconnected():
            return Failure.CLOSED, "the server hung up without an answer"
        case ConnectionRefusedError():
            return Failure.REFUSED, "connection refused"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return Failure.CLOSED, "the server reset the connection"
        case u.TimeoutError() | TimeoutError():
            return Failure.TIMED_OUT, "timed out"
        case HTTPException():
            return Failure.BAD_ANSWER, f"not HTTP: {_text(error)}"
        case OSError() if error.errno in _UNREACHABLE:
            return Failure.UNREACHABLE, _text(error)
        case FileNotFoundError():
            return Failure.REFUSED, "no such socket"
        case PermissionError():
            return Failure.UNREACHABLE, "the operating system forbids the connection"
        case u.SSLError():
            return Failure.TLS, _text(error)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The innermost error first: urllib3 wraps what happened, in arguments as well as causes."""
    inner = error.__cause__ or error.__context__
    for argument in error.args:
        if isinstance(argument, BaseException) and argument is not inner:
            yield from _chain(argument)
    if inner is not None and inner is not error:
        yield from _chain(inner)
    yield error


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return redact(str(error) or type(error).__name__)


def _error(source: str, kind: Failure, what: str, url: str) -> SourceError:
    try:
        parts = urlsplit(url)
        name = parts.hostname or "?"
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        name, port = "?", 0
    host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    hint = _HINTS.get(kind, "").format(host=host, name=name)
    return SourceError(source, kind, f"{host}: {what}", hint=hint)
