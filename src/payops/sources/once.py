"""What several checks of one run need, asked once and shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from payops.errors import SourceError

T = TypeVar("T")


class Once:
    """Remembers answers by their question, and failures too: a second check would only wait for
    the same one again. Safe to share between threads; whoever comes meanwhile waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Hashable, _Question] = {}

    def __call__(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer of the first `ask` under this key. Raises the SourceError that it raised."""
        with self._lock:
            question = self._asked.setdefault(key, _Question())
        answer: T = question.answer(ask)
        return answer


class _Question:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: list[Any] = []
        self._error: SourceError | None = None

    def answer(self, ask: Callable[[], Any]) -> Any:
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._answers:
                try:
                    self._answers.append(ask())
                except SourceError as error:
                    self._error = error
                    raise
            return self._answers[0]
