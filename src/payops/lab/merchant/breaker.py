"""The circuit breaker before Stripe, kept in Redis as runbook 004 describes it.

Five failures within 60 s open it; 30 s later one payment may try again (half-open), and its success
closes it. A card that the issuer declines is no failure.
"""

from __future__ import annotations

import logging
import threading
import time

import redis

log = logging.getLogger(__name__)

FAILURE_THRESHOLD = 5
WINDOW_S = 60
RECOVERY_S = 30

PREFIX = "circuit_breaker:stripe:"
STATE, FAILURES = PREFIX + "state", PREFIX + "failures"
LAST_FAILURE, OPENED_AT = PREFIX + "last_failure", PREFIX + "opened_at"


class Breaker:
    """Plain strings in Redis: `state` (closed, open, half_open), `failures` (with a TTL of the
    window), `last_failure` and `opened_at` (epoch seconds).

    While Redis cannot be read the breaker counts as closed: payments matter more. That only one
    payment goes through a half-open breaker holds for one process, and this shop is one.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._probe = threading.Lock()
        self._prober = 0

    def allows(self) -> bool:
        """Whether a payment may go to Stripe now; then `record` must follow."""
        try:
            state = self._text(STATE)
            if state == "open" and self._rested():
                self._redis.set(STATE, "half_open")
                state = "half_open"
        except redis.RedisError as error:
            log.warning("circuit breaker not readable, taken as closed: %s", error)
            return True
        if state == "half_open":
            return self._acquire()
        return state != "open"

    def record(self, *, failed: bool) -> None:
        """How the payment that was allowed went: `failed` by our fault or Stripe's."""
        try:
            half_open = self._text(STATE) == "half_open"
            if failed:
                self._failed(half_open)
            elif half_open:
                self._redis.set(STATE, "closed")
                self._redis.delete(FAILURES, OPENED_AT)
                log.info("circuit breaker closed")
        except redis.RedisError as error:
            log.warning("circuit breaker not writable: %s", error)
        finally:
            if self._prober == threading.get_ident():
                self._prober = 0
                self._probe.release()

    def _acquire(self) -> bool:
        """Be the one payment that tries a half-open breaker."""
        if not self._probe.acquire(blocking=False):
            return False
        self._prober = threading.get_ident()
        return True

    def _failed(self, half_open: bool) -> None:
        now = f"{time.time():.3f}"
        failures = int(self._redis.incr(FAILURES))
        if failures == 1:
            self._redis.expire(FAILURES, WINDOW_S)
        self._redis.set(LAST_FAILURE, now)
        if half_open or failures >= FAILURE_THRESHOLD:
            self._redis.set(STATE, "open")
            self._redis.set(OPENED_AT, now)
            log.warning("circuit breaker open after %d failures", failures)

    def _rested(self) -> bool:
        """Whether it has been open long enough; a breaker that lost its times never has."""
        opened_at = self._text(OPENED_AT) or self._text(LAST_FAILURE)
        try:
            return time.time() - float(opened_at) >= RECOVERY_S
        except ValueError:
            return False

    def _text(self, key: str) -> str:
        value = self._redis.get(key)
        return value.decode(errors="replace") if isinstance(value, bytes) else ""
