"""Few connections for many checks: a database in trouble often has no slots left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from payops.errors import Failure, SourceError
from payops.sources.bounded import CutOffError
from payops.sources.postgres_session import Session

# One connection serves all checks in turn; another is opened when it stays busy for so long.
_PATIENCE_S = 0.25
_MOST = 3


class Pool:
    """Lends sessions, at most three; safe to share between threads."""

    def __init__(self, connect: Callable[[float], Session]) -> None:
        self._connect = connect
        self._idle: list[Session] = []
        self._lent = 0
        self._changed = threading.Condition()
        self._failure: tuple[float, SourceError] | None = None
        self._closed = False
        self._opened = False
        self._most = _MOST

    def borrow(self, at_most: float) -> Session:
        """An idle session, or a new one. Raises SourceError, what connecting raises included, and
        CutOffError where no connection has come about in time.

        Whoever waits while another connects shares the failure instead of trying again.
        """
        began = time.monotonic()
        end = began + at_most
        with self._changed:
            while True:
                if self._idle:
                    self._lent += 1
                    return self._idle.pop()
                if self._failure is not None and self._failure[0] >= began:
                    raise self._failure[1]
                now = time.monotonic()
                if self._lent == 0 or (self._lent < self._most and now >= began + _PATIENCE_S):
                    self._lent += 1
                    break
                if now >= end:
                    if not self._opened:  # nobody is busy: all of them wait for the server
                        raise CutOffError(f"no connection within {at_most:.1f} s")
                    raise SourceError(
                        "postgres",
                        Failure.TIMED_OUT,
                        f"payops' own {self._lent} connections stayed busy for {at_most:.1f} s",
                        hint="the other checks' errors say why; or a longer --deadline",
                    )
                self._changed.wait(min(end, max(began + _PATIENCE_S, now + 0.01)) - now)
        try:
            session = self._connect(end - time.monotonic())
        except BaseException as error:
            with self._changed:
                self._lent -= 1
                makes_do = self._no_more_slots(error)
                if isinstance(error, SourceError) and not makes_do:
                    self._failure = (time.monotonic(), error)
                self._changed.notify_all()
            if not makes_do:
                raise
        else:
            self._opened = True
            return session
        return self.borrow(max(0.0, end - time.monotonic()))

    def _no_more_slots(self, error: BaseException) -> bool:
        """Whether the server has no slot left beside those that we have: they have to do."""
        full = isinstance(error, SourceError) and error.kind is Failure.TOO_MANY_CONNECTIONS
        if not full or self._lent + len(self._idle) == 0:
            return False
        self._most = self._lent + len(self._idle)
        return True

    def give_back(self, session: Session) -> None:
        """End of the loan; a broken session is thrown away."""
        with self._changed:
            self._lent -= 1
            if self._closed or session.broken:
                session.close()
            else:
                self._idle.append(session)
            self._changed.notify()

    def close(self) -> None:
        """Hang up what is idle; what is lent is hung up when it comes back."""
        with self._changed:
            self._closed = True
            for session in self._idle:
                with suppress(Exception):  # going anyway
                    session.close()
            self._idle.clear()
