"""When a replay has to end because the endpoint does not take what it is sent."""

from __future__ import annotations

from collections import deque

# An endpoint that is down is noticed by its first answers; one that fails for some events alone
# shows in the last ones. Fewer would stop at a single bad event, more would hammer a sick server.
FIRST = 3
OF_LAST, AMONG = 5, 10


class Failures:
    """Counts answers in their order."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=AMONG)
        self._sent = 0
        self._why = ""

    def note(self, accepted: bool, why: str = "") -> None:
        """One request is over; `why` it was not accepted."""
        self._last.append(accepted)
        self._sent += 1
        self._why = self._why if accepted else why

    @property
    def reason(self) -> str:
        """Why no more are sent; empty to go on.

        >>> failures = Failures()
        >>> for _ in range(3): failures.note(False, "500")
        >>> failures.reason
        'the first 3 were not accepted, the last with: 500'
        """
        failed = self._last.count(False)
        if self._sent == FIRST and failed == FIRST:
            return f"the first {FIRST} were not accepted, the last with: {self._why}"
        if failed >= OF_LAST:
            return f"{failed} of the last {len(self._last)} were not accepted, the last with: " + (
                self._why
            )
        return ""
