"""How often a run may ask again."""

from __future__ import annotations

import threading


class Retries:
    """At most so many second tries of a whole run; safe to share between threads.

    When everything fails, to ask each thing twice says nothing more: it costs time, and requests
    of the account's limit, in the very minute in which both are short.
    """

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more is left; it is taken then."""
        with self._lock:
            self._left -= 1
            return self._left >= 0
