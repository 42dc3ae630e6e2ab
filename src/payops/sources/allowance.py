"""How many requests of Stripe's a run may take."""

from __future__ import annotations

import threading

from payops.errors import Failure, SourceError
from payops.sources.pace import Pace

# A test account is let 25 requests a second, and two looks may come one upon the other.
_PER_SECOND, _AT_ONCE = 15.0, 8.0
_PATIENCE_S = 5.0


class Allowance:
    """So many requests in all, so many second tries among them, and one pace for them all; safe to
    share between threads.

    When everything fails, to ask each thing twice says nothing more: it costs time, and requests
    of the account's limit, in the very minute in which both are short.
    """

    def __init__(self, requests: int, second_tries: int) -> None:
        self._most = requests
        self._requests = requests
        self._second_tries = second_tries
        self._lock = threading.Lock()
        self._pace = Pace(_PER_SECOND, _AT_ONCE)

    def spend(self, path: str) -> None:
        """One request is about to be sent: waits for its turn. Raises SourceError when none is
        left."""
        with self._lock:
            left = self._requests
            self._requests = max(0, left - 1)
        if left > 0:
            self._pace.wait(_PATIENCE_S)
            return
        raise SourceError(
            "stripe",
            Failure.TOO_MUCH,
            f"GET {path}: the {self._most} requests of this run are spent",
            hint="ask for it alone, or for a shorter window (--since)",
        )

    def again(self) -> bool:
        """Whether a second try is left; it is taken then."""
        with self._lock:
            self._second_tries -= 1
            return self._second_tries >= 0
