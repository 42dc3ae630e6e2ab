"""What Postgres' and libpq's errors mean.

A server that answers says so in a SQLSTATE, whatever its language. A connection that could not be
made has none: there libpq's own words are read, several lines when it tried several addresses.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict

from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.errors import SILENT, Failure, SourceError

_STATES = {
    "28P01": Failure.AUTHENTICATION,
    "28000": Failure.AUTHENTICATION,
    "3D000": Failure.DATABASE_MISSING,
    "42501": Failure.PERMISSION,
    "53300": Failure.TOO_MANY_CONNECTIONS,
    "57P03": Failure.STARTING_UP,
    "57P01": Failure.CLOSED,
    "57P02": Failure.CLOSED,
    "57014": Failure.STATEMENT_TIMEOUT,
    "55P03": Failure.LOCK_TIMEOUT,
    "42P01": Failure.SCHEMA,
    "42703": Failure.SCHEMA,
    "3F000": Failure.SCHEMA,
    "40001": Failure.STATEMENT_TIMEOUT,  # a replica cancelled it: conflict with recovery
}
# SQLSTATE classes: 08 connection, 53 resources, 58 and XX the server's own trouble.
_CLASSES = {
    "08": Failure.CLOSED,
    "25": Failure.REJECTED,
    "53": Failure.SERVER_ERROR,
    "58": Failure.SERVER_ERROR,
    "XX": Failure.SERVER_ERROR,
}
# libpq's, the server's and pgbouncer's words, the most telling first: of several addresses the
# one that answered says more than the one that refused.
_WORDS: tuple[tuple[Failure, str], ...] = (
    (
        Failure.TOO_MANY_CONNECTIONS,
        r"too many (clients|connections)|connection slots|no more connections|query_wait_timeout",
    ),
    (Failure.DATABASE_MISSING, r'database ".*" does not exist|no such database'),
    (Failure.PERMISSION, r"permission denied for database|not permitted to log in"),
    (
        Failure.STARTING_UP,
        r"the database system is|not (yet )?accepting connections|shutting down",
    ),
    (
        Failure.AUTHENTICATION,
        r"authentication|password|pg_hba\.conf|role \".*\" does not exist|no such user",
    ),
    (Failure.REJECTED, r"invalid (port|integer|connection option|sslmode)|Servname not supported"),
    (Failure.DNS, r"could not translate host name|failed to resolve host|not known"),
    (Failure.TLS, r"root certificate file .* does not exist"),  # and then what to do about it
    (Failure.TLS, r"\bSSL\b|certificate|\bTLS\b"),
    (Failure.TIMED_OUT, r"timeout expired|timed out"),
    (Failure.CLOSED, r"closed the connection|reset by peer|terminat|connection is (lost|closed)"),
    (Failure.REFUSED, r"refused|No such file or directory"),
    (Failure.UNREACHABLE, r"No route to host|unreachable|server login failed|cannot connect"),
)
_HINTS = {
    Failure.AUTHENTICATION: "role {user}: wrong password, or pg_hba.conf has no line for it",
    Failure.DATABASE_MISSING: "no database {database} on {host}: correct the DSN (`psql -l`)",
    Failure.TOO_MANY_CONNECTIONS: "{host} has no free slot: see pg_stat_activity for who holds "
    "them, and each app's pool size",
    Failure.STARTING_UP: "{host} is starting, stopping or recovering: see its log, try again",
    Failure.CLOSED: "{host} hung up: restarted, crashed, or an administrator or pooler ended it",
    Failure.STATEMENT_TIMEOUT: "longer than postgres.statement_timeout: a missing index on the "
    "ledger's time column, or a busy server",
    Failure.LOCK_TIMEOUT: "another session holds an exclusive lock (a migration?): see pg_locks",
    Failure.REFUSED: "nothing listens on {host}: is Postgres running, and is the port right?",
    Failure.DNS: "the name in {host} is wrong, or this machine's DNS is broken",
    Failure.TIMED_OUT: "look at {host}: hung, overloaded, or a firewall that drops packets",
    Failure.TLS: "see sslmode and sslrootcert in the DSN",
    Failure.UNREACHABLE: "no way to {host} from here: network, VPN or firewall",
    Failure.PERMISSION: "ask for the privilege for role {user}",
    Failure.REJECTED: "correct the DSN, or the query and what the mapping puts into it",
    Failure.BAD_ANSWER: "a value that Python cannot hold (an infinite timestamp?): look at the row",
    Failure.SERVER_ERROR: "{host} itself is in trouble (disk, memory): see its log",
    Failure.SCHEMA: "correct the mapping in the configuration",
}
_DENIED = re.compile(r"permission denied for (?:(schema|database|function|sequence)|.*?) (\S.*)$")
_MISSING = re.compile(r'(relation|column|schema) "?(.+?)"? does not exist')
# libpq says first whom it asked; so do we.
_PREFIX = re.compile(
    r"^(connection failed: )?(connection to server (at|on) .+? failed: )?((FATAL|ERROR): +)?"
)
_LONGEST = 300


@dataclass(frozen=True)
class Server:
    """Where the DSN points, without its password."""

    host: str
    database: str
    user: str

    @property
    def by_hand(self) -> str:
        """The command that asks whether it accepts connections; empty for several hosts."""
        if "," in self.host:
            return ""
        host, _, port = self.host.rpartition(":") if self.host[:1] != "/" else (self.host, "", "")
        return f"pg_isready -h {shlex.quote(host)}" + (f" -p {shlex.quote(port)}" if port else "")

    @classmethod
    def of(cls, dsn: str) -> Server:
        """Raises SourceError REJECTED for a DSN that libpq cannot read."""
        try:
            parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value}
        except psycopg.Error:  # its message may quote the password
            raise SourceError(
                "postgres",
                Failure.REJECTED,
                "postgres.dsn cannot be read",
                hint="write postgresql://USER:PASSWORD@HOST:5432/DATABASE, with the password's "
                "@ : / and % percent-encoded",
            ) from None
        host = parts.get("host") or parts.get("hostaddr") or "localhost"
        place = host if host.startswith("/") else f"{host}:{parts.get('port', '5432')}"
        user = parts.get("user", "of this system user")
        return cls(place, parts.get("dbname", user), user)


def translate(error: psycopg.Error, server: Server) -> SourceError:
    """Any error of psycopg's."""
    state = error.sqlstate or ""
    said = error.diag.message_primary or str(error)
    if state:
        kind = _STATES.get(state) or _CLASSES.get(state[:2]) or Failure.REJECTED
    else:
        kind, said = _from_words(said, error)
    said = _PREFIX.sub("", said.strip()) or said
    said = shortened(harmless(redact(said)), _LONGEST)
    return _error(kind, said, server, state)


def unreachable(server: Server, what: str) -> SourceError:
    """The server was given up."""
    return _error(Failure.TIMED_OUT, what, server, "")


def with_nearest(error: SourceError, find: Callable[[str, str], str]) -> SourceError:
    """A SCHEMA error that also names the nearest table or column; others as they are."""
    match = _MISSING.search(error.message)
    if error.kind is not Failure.SCHEMA or match is None:
        return error
    wrong = match.group(2).rpartition(".")[2].strip('"')
    try:
        found = find(wrong, "table" if match.group(1) == "relation" else "column")
    except SourceError:
        return error
    return missing(error.message, found, code=error.code)


def missing(what: str, nearest_name: str, *, code: str = "", or_else: str = "") -> SourceError:
    """A table or column that is not there; `nearest_name` may be empty. `or_else` is what else may
    be done about it."""
    guess = f"did you mean {nearest_name}? " if nearest_name else ""
    hint = f"{guess}{_HINTS[Failure.SCHEMA]}{or_else}"
    return SourceError("postgres", Failure.SCHEMA, what, hint=hint, code=code)


def nearest(wrong: str, known: Sequence[tuple[str, str]]) -> str:
    """Of pairs (name, as shown) the one whose name is most like `wrong`; empty when none is.

    >>> nearest("payment", [("orders", "orders"), ("payments", "shop.payments")])
    'shop.payments'
    """
    shown = {name.lower(): as_shown for name, as_shown in reversed(known)}
    matches = difflib.get_close_matches(wrong.lower(), shown, n=1, cutoff=0.6)
    return shown[matches[0]] if matches else ""


def _from_words(text: str, error: psycopg.Error) -> tuple[Failure, str]:
    if isinstance(error, psycopg.errors.ConnectionTimeout) and "\n" not in text:
        return Failure.TIMED_OUT, "no connection in time"
    lines = [line.strip(" \t-") for line in text.splitlines() if line.strip()]
    for kind, words in _WORDS:
        telling = [line for line in lines if re.search(words, line, re.IGNORECASE)]
        if telling:
            return kind, telling[-1]
    if isinstance(error, psycopg.ProgrammingError):
        return Failure.REJECTED, text
    if isinstance(error, psycopg.DataError):
        return Failure.BAD_ANSWER, text
    return Failure.UNREACHABLE, lines[0] if lines else type(error).__name__


def _error(kind: Failure, said: str, server: Server, state: str) -> SourceError:
    hint = _HINTS.get(kind, "").format(host=server.host, database=server.database, user=server.user)
    denied = _DENIED.search(said)
    if kind is Failure.PERMISSION and denied:
        hint = f"have the owner run: {_grant(denied.group(1), denied.group(2), server)}"
    if kind is Failure.STATEMENT_TIMEOUT and "recovery" in said:
        hint = "the replica cancelled it to replay: try again, or see max_standby_streaming_delay"
    message = f"{server.host}: {said}" if server.host not in said else said
    by_hand = server.by_hand if kind in SILENT or kind is Failure.STARTING_UP else ""
    return SourceError("postgres", kind, message, hint=hint, code=state, by_hand=by_hand)


def _grant(what: str | None, name: str, server: Server) -> str:
    quoted, role = _quoted(name), _quoted(server.user)
    match what:
        case "schema":
            return f"GRANT USAGE ON SCHEMA {quoted} TO {role};"
        case "database":
            return f"GRANT CONNECT ON DATABASE {quoted} TO {role};"
        case "function":
            return f"GRANT EXECUTE ON FUNCTION {quoted} TO {role};"
        case _:
            return f"GRANT SELECT ON {quoted} TO {role};"


def _quoted(name: str) -> str:
    name = name.strip('"')
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        return name
    return '"' + name.replace('"', '""') + '"'
