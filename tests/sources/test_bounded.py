from __future__ import annotations

import threading
import time

import pytest

from payops.domain.deadline import Deadline
from payops.sources.bounded import CutOffError, bounded
from payops.sources.pace import Pace
from sources.hanging import at_most


def test_result_and_error_come_through() -> None:
    assert bounded(1, lambda: 7) == 7
    with pytest.raises(KeyError, match="x"):
        bounded(1, lambda: {}["x"])


def test_gives_up_cuts_and_disposes_of_a_late_result() -> None:
    go, late = threading.Event(), []
    disposed = threading.Event()

    def call() -> str:
        go.wait()
        return "connection"

    def dispose(result: str) -> None:
        late.append(result)
        disposed.set()

    with at_most(0.1), pytest.raises(CutOffError):
        bounded(0.1, call, cut=go.set, late=dispose)
    assert disposed.wait(2)
    assert late == ["connection"]


def test_no_time_is_no_call() -> None:
    called = []
    with pytest.raises(CutOffError, match="no time"):
        bounded(Deadline.after(-1).remaining, lambda: called.append(1))
    assert not called


def test_a_failing_cut_hides_nothing() -> None:
    with pytest.raises(CutOffError):
        bounded(0.05, lambda: time.sleep(0.2), cut=lambda: 1 / 0)  # type: ignore[arg-type,return-value]


def test_pace_lets_a_burst_through_and_then_the_rate() -> None:
    pace, began = Pace(50, burst=5), time.monotonic()
    threads = [threading.Thread(target=pace.wait, args=(5,)) for _ in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.19 <= time.monotonic() - began < 3  # ten of them at 50/s


def test_pace_refuses_what_the_deadline_leaves_no_time_for() -> None:
    pace = Pace(1, burst=1)
    assert pace.wait(0)
    with at_most(0):
        assert not pace.wait(0.5)
