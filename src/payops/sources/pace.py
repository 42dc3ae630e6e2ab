"""A budget of requests per second, shared by threads."""

from __future__ import annotations

import threading
import time


class Pace:
    """Lets `per_second` requests through, `burst` of them at once after a pause.

    A diagnosis must never starve live payments of the account's rate limit.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        self._interval = 1 / per_second
        self._slack = (max(1.0, burst) - 1) * self._interval
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, at_most: float) -> bool:
        """Sleep until it is our turn; False at once when that is more than `at_most` s away."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now - self._slack)
            delay = turn - now
            if delay > at_most:
                return False
            self._next = turn + self._interval
        if delay > 0:
            time.sleep(delay)
        return True
