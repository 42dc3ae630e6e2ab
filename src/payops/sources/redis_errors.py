"""What redis-py's errors mean."""

from __future__ import annotations

import errno
import re
import shlex
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit, urlunsplit

from redis import exceptions as r

from payops.domain.secret import Secret, redact
from payops.domain.text import harmless, shortened
from payops.errors import SILENT, Failure, SourceError

# Words of Redis' error answers (the first one is its code) and what they mean.
_WORDS: tuple[tuple[Failure, str], ...] = (
    (Failure.AUTHENTICATION, r"WRONGPASS|NOAUTH|invalid username|invalid password|AUTH.*without"),
    (Failure.PERMISSION, r"NOPERM|has no permissions|no permissions to"),
    (Failure.TOO_MANY_CONNECTIONS, r"max number of clients|too many connections"),
    (Failure.STARTING_UP, r"LOADING|BUSY|MASTERDOWN|Link with MASTER is down|loading the dataset"),
    (Failure.REJECTED, r"CLUSTERDOWN|MOVED|ASK|CROSSSLOT|READONLY|unknown command|DB index"),
    (Failure.SERVER_ERROR, r"MISCONF|OOM"),
    (Failure.CLOSED, r"closed by server|reset by peer|broken pipe|server closed"),
    (Failure.TIMED_OUT, r"timed? ?out"),
)
_HINTS = {
    Failure.AUTHENTICATION: "correct user and password in redis.url "
    "(redis://USER:PASSWORD@HOST:6379/0)",
    Failure.PERMISSION: "this ACL user lacks the command or key: "
    "ACL SETUSER {user} +@read +info +time ~*",
    Failure.TOO_MANY_CONNECTIONS: "{host} is at maxclients: CLIENT LIST shows who holds them",
    Failure.STARTING_UP: "{host} loads its data, runs a long script or has lost its master: "
    "see INFO, try again",
    Failure.REFUSED: "nothing listens on {host}: is Redis running, and is the port right?",
    Failure.DNS: "the name in {host} is wrong, or this machine's DNS is broken",
    Failure.TIMED_OUT: "look at {host}: hung, a slow command, or a firewall that drops packets",
    Failure.TLS: "rediss:// is TLS, redis:// is not; a private CA goes into redis.ca_file",
    Failure.CLOSED: "{host} hung up: restarted, or it speaks TLS (rediss://)",
    Failure.UNREACHABLE: "no way to {host} from here: network, VPN or firewall",
    Failure.BAD_ANSWER: "something that is not Redis answers on {host}",
    Failure.REJECTED: "correct redis.url (redis://, rediss:// or unix://); a cluster or an old "
    "server answers some commands so too",
    Failure.SERVER_ERROR: "see INFO persistence and memory on {host}",
}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
_LONGEST = 300


class Server:
    """Where a Redis URL points, without its password. `cli` is the `redis-cli` that asks there;
    it asks for the password itself."""

    def __init__(self, url: str) -> None:
        self.host, self.user, self.cli = "redis.url", "default", "redis-cli"
        try:
            parts = urlsplit(url)
            port = parts.port or 6379
        except ValueError:
            return
        self.user = parts.username or "default"
        self.host = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{port}"
        words = ["redis-cli"]
        if parts.scheme == "unix":
            words += ["-s", parts.path]
        else:
            words += ["-h", parts.hostname or "localhost", "-p", str(port)]
        words += ["--tls"] if parts.scheme == "rediss" else []
        words += ["--user", unquote(parts.username)] if parts.username else []
        words += ["--askpass"] if parts.password else []
        database = parts.path.strip("/") if parts.scheme != "unix" else ""
        words += ["-n", database] if database.strip("0") else []
        self.cli = shlex.join(words)


def in_database(url: Secret, number: int) -> Secret:
    """The same server, another of its databases."""
    parts = urlsplit(url.reveal())
    # To redis-py `db=` in the query goes before the path.
    kept = [each for each in parts.query.split("&") if each and not each.startswith("db=")]
    if parts.scheme == "unix":
        query = "&".join([*kept, f"db={number}"])
        return Secret(f"unix://{parts.netloc}{parts.path}?{query}")
    return Secret(urlunsplit(parts._replace(path=f"/{number}", query="&".join(kept))))


def translate(error: Exception, server: Server) -> SourceError:
    """Any error of redis-py's, or of the operating system below it."""
    kind, said = _classify(error)
    code = getattr(error, "status_code", None)
    return failure(kind, said, server, code if isinstance(code, str) else "")


def failure(kind: Failure, said: str, server: Server, code: str = "") -> SourceError:
    """A SourceError with the hint of its kind."""
    hint = _HINTS.get(kind, "").format(host=server.host, user=server.user)
    said = shortened(harmless(redact(said)), _LONGEST)
    by_hand = f"{server.cli} PING" if kind in SILENT or kind is Failure.STARTING_UP else ""
    message = f"{server.host}: {said}"
    return SourceError("redis", kind, message, hint=hint, code=code, by_hand=by_hand)


def _classify(error: Exception) -> tuple[Failure, str]:
    for each in _chain(error):
        below = _of_the_system(each)
        if below is not None:
            return below
    said = str(error) or type(error).__name__
    if isinstance(error, r.AuthenticationError):
        return Failure.AUTHENTICATION, said
    if isinstance(error, r.NoPermissionError):
        return Failure.PERMISSION, said
    if isinstance(error, r.BusyLoadingError):
        return Failure.STARTING_UP, said
    if isinstance(error, r.TimeoutError):
        return Failure.TIMED_OUT, said
    for kind, words in _WORDS:
        if re.search(words, said, re.IGNORECASE):
            return kind, said
    if isinstance(error, r.InvalidResponse | UnicodeError | ValueError | TypeError | KeyError):
        return Failure.BAD_ANSWER, "the answer is not Redis' protocol"
    if isinstance(error, r.ConnectionError):
        return Failure.UNREACHABLE, said
    return Failure.REJECTED, said


def _of_the_system(error: BaseException) -> tuple[Failure, str] | None:
    match error:
        case ssl.SSLCertVerificationError():
            return Failure.TLS, f"the certificate does not verify: {error.verify_message}"
        case ssl.SSLError() if not isinstance(error, TimeoutError):
            return Failure.TLS, (error.reason or str(error)).replace("_", " ").lower()
        case socket.gaierror():
            return Failure.DNS, "the name does not resolve"
        case ConnectionRefusedError():
            return Failure.REFUSED, "connection refused"
        case FileNotFoundError():
            return Failure.REFUSED, "no such socket, or no such ca_file"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return Failure.CLOSED, "the server reset the connection"
        case TimeoutError():
            return Failure.TIMED_OUT, "no answer in time"
        case OSError() if error.errno in _UNREACHABLE:
            return Failure.UNREACHABLE, error.strerror or "unreachable"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    inner = error.__cause__ or error.__context__
    if inner is not None:
        yield from _chain(inner)
    yield error
