"""The budget of a long fetch: so many requests a second, less when Stripe says that it is enough.

Stripe counts requests of the whole account and of each endpoint. Live payments come first, so a
429 slows the fetch down at once and it recovers slowly.
"""

from __future__ import annotations

import threading
import time

# 25/s for one list endpoint (Stripe's documentation, 'Rate limits'); a little below it, since two
# requests sent 40 ms apart may arrive closer together.
PER_ENDPOINT = 25.0
_SHARE = 0.985
# In a sandbox 25/s is the limit of the whole account.
PER_TEST_ACCOUNT = 25.0
_SLOWER = 1.5
_SLOWEST = 10.0
_RECOVERY = 0.99


class FetchPace:
    """Gives each request its turn; safe to share between threads."""

    def __init__(self, per_second: float, per_endpoint: float) -> None:
        self.per_second = min(per_second, per_endpoint)
        self._intervals = (1 / per_second, 1 / per_endpoint)
        self._next: dict[str, float] = {}
        self._slowed = 1.0
        self._limited_at = 0.0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, budget: float, *, test: bool) -> FetchPace:
        """The configured budget, within Stripe's own limits for one endpoint and a sandbox."""
        account = min(budget, PER_TEST_ACCOUNT * _SHARE) if test else budget
        return cls(account, PER_ENDPOINT * _SHARE)

    def wait(self, endpoint: str, stop: threading.Event) -> bool:
        """Sleep until it is our turn; False when `stop` was set instead."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next.get("", 0.0), self._next.get(endpoint, 0.0))
            for place, interval in zip(("", endpoint), self._intervals, strict=True):
                self._next[place] = turn + interval * self._slowed
        delay = turn - now
        return not stop.wait(delay) if delay > 0 else not stop.is_set()

    def limited(self) -> None:
        """Stripe answered 429."""
        with self._lock:
            now = time.monotonic()
            if now - self._limited_at > 1:  # those under way when it came do not count again
                self._limited_at = now
                self._slowed = min(_SLOWEST, self._slowed * _SLOWER)

    def answered(self) -> None:
        """Stripe answered."""
        if self._slowed > 1:
            with self._lock:
                self._slowed = max(1.0, self._slowed * _RECOVERY)
