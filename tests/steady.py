"""Time that does not depend on what else the machine has to do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

_TICK_S = 0.02
_LATE_S = 0.01


class Standstill:
    """Seconds for which a thread that wanted to run could not, since this was made.

    A thread that sleeps for a moment, again and again, is late by as much as the machine, or
    another thread that does not let go, held it up. Waiting for an answer holds nobody up: a limit
    on that stays a limit.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _tick(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_TICK_S):
            now = time.monotonic()
            late = now - before - _TICK_S
            self.seconds += late if late > _LATE_S else 0.0
            before = now


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """The block ends within so many seconds in which this process could run."""
    still = Standstill()
    began = time.monotonic()
    try:
        yield
        took = time.monotonic() - began
    finally:
        still.end()
    assert took - still.seconds < seconds, f"{took:.2f} s, {still.seconds:.2f} s of them held up"
