"""The budget of a long fetch: so many requests a second, less when Stripe says that it is enough.

Stripe counts requests of the whole account and of each endpoint. Live payments come first, so a
429 slows the fetch down at once and it recovers slowly.
"""

from __future__ import annotations

import threading
import time
from collections import deque

# 25/s for one list endpoint, and for the whole account of a sandbox (Stripe's documentation, 'Rate
# limits').
PER_ENDPOINT = 25.0
PER_TEST_ACCOUNT = 25.0
# Requests may arrive closer together than they were sent: 25 in a little more than a second.
_MARGIN = 1.012
# Evenly spread, but quick enough to make up for a moment in which nothing could be sent.
_SPREAD = 0.8
_SLOWER = 1.25
_SLOWEST = 10.0
_RECOVERY = 0.97


class _Gate:
    """At most `rate` requests in any second; `margin` makes the second longer."""

    def __init__(self, rate: float, margin: float) -> None:
        count = max(1, int(rate))
        self._period = count / rate * margin
        self._spacing = _SPREAD / rate
        self._sent: deque[float] = deque(maxlen=count)

    def opens(self, slowed: float) -> float:
        """When the next request may go, on the monotonic clock."""
        if not self._sent:
            return 0.0
        at = self._sent[-1] + self._spacing * slowed
        if len(self._sent) == self._sent.maxlen:
            at = max(at, self._sent[0] + self._period * slowed)
        return at

    def sent(self, now: float) -> None:
        self._sent.append(now)


class FetchPace:
    """Gives each request its turn; safe to share between threads."""

    def __init__(self, per_second: float, per_endpoint: float, *, margin: float = 1.0) -> None:
        self.per_second = min(per_second, per_endpoint)
        self._per_endpoint = per_endpoint
        self._account = _Gate(per_second, margin)
        self._endpoints: dict[str, tuple[_Gate, threading.Lock]] = {}
        self._slowed = 1.0
        self._limited_at = 0.0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, budget: float, *, test: bool) -> FetchPace:
        """The configured budget, within Stripe's own limits for one endpoint and a sandbox."""
        limited = test and budget >= PER_TEST_ACCOUNT
        account = PER_TEST_ACCOUNT if limited else budget
        return cls(account, PER_ENDPOINT, margin=_MARGIN if limited else 1.0)

    def wait(self, endpoint: str, stop: threading.Event) -> bool:
        """Sleep until it is our turn; False when `stop` was set instead."""
        with self._lock:
            if endpoint not in self._endpoints:
                gate = _Gate(self._per_endpoint, _MARGIN)
                self._endpoints[endpoint] = (gate, threading.Lock())
            gate, turnstile = self._endpoints[endpoint]
        with turnstile:  # one waits for the gate, the others for that one
            while not stop.is_set():
                with self._lock:
                    now = time.monotonic()
                    turn = max(gate.opens(self._slowed), self._account.opens(self._slowed))
                    if turn <= now:
                        gate.sent(now)
                        self._account.sent(now)
                        return True
                stop.wait(turn - now)
        return False

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
