"""How many requests of Stripe's a run may take."""

from __future__ import annotations

import threading

from payops.errors import Failure, SourceError


class Allowance:
    """So many requests in all, and so many second tries among them; safe to share between threads.

    When everything fails, to ask each thing twice says nothing more: it costs time, and requests
    of the account's limit, in the very minute in which both are short.
    """

    def __init__(self, requests: int, second_tries: int) -> None:
        self._most = requests
        self._requests = requests
        self._second_tries = second_tries
        self._lock = threading.Lock()

    def spend(self, path: str) -> None:
        """One request is about to be sent. Raises SourceError when none is left."""
        with self._lock:
            if self._requests > 0:
                self._requests -= 1
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
