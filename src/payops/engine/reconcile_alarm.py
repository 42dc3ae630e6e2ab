"""Ends a long run at its deadline, as ^C would: what was fetched is kept, and the run says so."""

from __future__ import annotations

import _thread
import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.domain.deadline import Deadline


class Alarm:
    """Raises KeyboardInterrupt in the main thread when the deadline is over; `rang` tells that it
    was not a person. In another thread it does nothing: there the caller waits no longer."""

    def __init__(self, deadline: Deadline) -> None:
        self._timer = threading.Timer(max(deadline.remaining, 0.001), self._ring)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._over = False
        self.rang = False

    def __enter__(self) -> Alarm:
        if threading.current_thread() is threading.main_thread():
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._over = True
        self._timer.cancel()

    def _ring(self) -> None:
        with self._lock:
            if not self._over:
                self.rang = True
                _thread.interrupt_main()
