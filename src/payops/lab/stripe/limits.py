"""Stripe's rate limits, as a window that slides over the last second."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from payops.lab.stripe.errors import rate_limited


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a second. The defaults are Stripe's published ones."""

    enabled: bool = True
    live: int = 100
    """Live mode, over the whole account."""
    test: int = 25
    """Test mode, over the whole account."""
    endpoint: int = 25
    """One operation, over any ids."""

    def changed(self, value: bool | dict[str, Any]) -> "Limits":
        """These limits after a setting: true, false, or the numbers to replace."""
        if isinstance(value, bool):
            return replace(self, enabled=value)
        return replace(self, **{"enabled": True, **value})


class RateLimiter:
    """Admits requests up to the limits; a refused one does not count."""

    def __init__(self, limits: Limits, *, time: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._time = time
        self._admitted: dict[str, deque[float]] = {}

    def admit(self, operation: str, livemode: bool) -> None:
        """Count a request. Raises StripeError 429 when it is one too many.

        `operation` is the method and the path with `{id}` for ids.
        """
        if not self.limits.enabled:
            return
        mode = "live" if livemode else "test"
        account = self.limits.live if livemode else self.limits.test
        now = self._time()
        windows = (
            (self._window(mode, now), account, "global-rate"),
            (self._window(f"{mode} {operation}", now), self.limits.endpoint, "endpoint-rate"),
        )
        for window, limit, reason in windows:
            if len(window) >= limit:
                raise rate_limited(reason)
        for window, _, _ in windows:
            window.append(now)

    def _window(self, name: str, now: float) -> deque[float]:
        window = self._admitted.setdefault(name, deque())
        while window and window[0] <= now - 1.0:
            window.popleft()
        return window
