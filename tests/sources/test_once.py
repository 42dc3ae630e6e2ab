"""What several checks need is asked once."""

from __future__ import annotations

import threading
import time

import pytest

from payops.errors import Failure, SourceError
from payops.sources.once import Once


def test_many_threads_share_one_answer() -> None:
    once, asked, answers = Once(), [], []

    def ask() -> int:
        time.sleep(0.05)
        asked.append(1)
        return len(asked)

    threads = [threading.Thread(target=lambda: answers.append(once("a", ask))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 8
    assert once("b", ask) == 2, "another question"


def test_a_failure_is_shared_too_and_a_fault_is_not() -> None:
    once, asked = Once(), []

    def fail() -> int:
        asked.append(1)
        raise SourceError("postgres", Failure.TIMED_OUT, "slow")

    for _ in range(3):
        with pytest.raises(SourceError, match="slow"):
            once("a", fail)
    assert asked == [1]
    with pytest.raises(ZeroDivisionError):
        once("c", lambda: 1 // 0)
    assert once("c", lambda: 7) == 7
