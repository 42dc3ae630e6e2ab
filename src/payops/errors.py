"""Every error that payops raises on purpose.

    PayopsError                what went wrong, and a hint: what to do next
    ├── UsageError             the command line asks for something that does not exist
    ├── ConfigError            the configuration is wrong: file, line, path, nearest known key
    ├── SourceError            a dependency did not answer, or answered with an error
    ├── RefusedError           a change was not made because it would not be safe: exit status 1
    ├── FailedError            a change could not be made: exit status 2
    ├── NotConfiguredError     the thing asked for is not used here: a check becomes SKIP
    └── LabError               the lab could not be started, changed or stopped

Anything else that escapes is a fault of payops. Both end with exit status 3 and one line on
stderr; `--verbose` adds the traceback.
"""

from __future__ import annotations

from enum import Enum


class PayopsError(Exception):
    """Base of all expected errors.

    `message` says what happened and where, `hint` what to do next (may be empty). Both are shown
    to a person, so neither may hold a secret; the boundary redacts them all the same.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PayopsError):
    """The command line names something unknown: a check, a format, a duration."""


class ConfigError(PayopsError):
    """The configuration file cannot be used.

    `file` and `line` (1-based) point at the place where they are known; `path` is the dotted path
    of the key (`ledgers.payments.columns.id`).
    """

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int | None = None,
        path: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line
        self.path = path

    def __str__(self) -> str:
        """`file:line: path: message`, leaving out what is not known."""
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class RefusedError(PayopsError):
    """A change was not made: its plan was edited, is too old, is for another place, or nobody said
    yes. Nothing is wrong with payops or its servers, and nothing was changed."""


class FailedError(PayopsError):
    """A change could not be made, or not be written down: the journal's disk is full."""


class NotConfiguredError(PayopsError):
    """Not set up or not used in this system (no Redis, no breaker): never the same as 'down'."""


class LabError(PayopsError):
    """The lab could not do what it was asked."""


class Failure(Enum):
    """Why a source gave no answer. The value is the word shown to a person."""

    REFUSED = "connection refused"
    TIMED_OUT = "timed out"
    DNS = "name not resolved"
    TLS = "TLS failed"
    UNREACHABLE = "unreachable"
    CLOSED = "connection closed"
    AUTHENTICATION = "authentication failed"
    PERMISSION = "permission denied"
    DATABASE_MISSING = "database missing"
    TOO_MANY_CONNECTIONS = "too many connections"
    STARTING_UP = "starting up or shutting down"
    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    BAD_ANSWER = "answer not understood"
    NOT_FOUND = "not found"
    REJECTED = "request rejected"
    STATEMENT_TIMEOUT = "statement timeout"
    LOCK_TIMEOUT = "lock timeout"
    SCHEMA = "table or column missing"
    TOO_MUCH = "too much to read"


# The dependency as a whole gave no usable answer: the check's status is `unreachable` (CRIT).
# Every other failure concerns one question, so the check that asked it is UNKNOWN.
DOES_NOT_ANSWER = frozenset(
    {
        Failure.REFUSED,
        Failure.TIMED_OUT,
        Failure.DNS,
        Failure.TLS,
        Failure.UNREACHABLE,
        Failure.CLOSED,
        Failure.AUTHENTICATION,
        Failure.DATABASE_MISSING,
        Failure.TOO_MANY_CONNECTIONS,
        Failure.STARTING_UP,
        Failure.SERVER_ERROR,
        Failure.BAD_ANSWER,
    }
)


# Of these, the ones in which nobody said a word. The others answered, and not what was asked.
SILENT = frozenset(
    {
        Failure.REFUSED,
        Failure.TIMED_OUT,
        Failure.DNS,
        Failure.TLS,
        Failure.UNREACHABLE,
        Failure.CLOSED,
    }
)


class SourceError(PayopsError):
    """A source (`stripe`, `postgres`, `redis`, `http`) failed.

    `kind` tells the failures apart, `hint` is something a tired person can act on. `request_id`
    is Stripe's, `http_status` that of the answer, `code` the library's or server's own word
    (SQLSTATE, Stripe's error code): evidence for the ticket. `by_hand` is the command line that
    asks the same server without payops.
    """

    def __init__(
        self,
        source: str,
        kind: Failure,
        message: str,
        *,
        hint: str = "",
        request_id: str = "",
        http_status: int | None = None,
        code: str = "",
        by_hand: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.kind = kind
        self.request_id = request_id
        self.http_status = http_status
        self.code = code
        self.by_hand = by_hand

    def __str__(self) -> str:
        return f"{self.source}: {self.told}"

    @property
    def told(self) -> str:
        """Kind and message; the kind once, where the message ends with it."""
        kind = self.kind.value
        if self.message.lower().endswith(kind.lower()):
            return self.message[: -len(kind)] + kind
        return f"{kind}: {self.message}"

    @property
    def measured(self) -> dict[str, str | int]:
        """What a check's result keeps of it: what failed, where and how, and Stripe's request.

        `failure` is the name of the kind in lower case (`dns`, `timed_out`), `failed` the source.
        """
        told: dict[str, str | int] = {"failure": self.kind.name.lower(), "failed": self.source}
        if self.http_status is not None:
            told["http_status"] = self.http_status
        if self.request_id:
            told["request_id"] = self.request_id
        return told

    @property
    def does_not_answer(self) -> bool:
        """Whether the whole dependency is out, not only this one question."""
        return self.kind in DOES_NOT_ANSWER
