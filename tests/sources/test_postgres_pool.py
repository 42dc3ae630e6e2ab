"""Few connections for many checks, and none more than the server gives."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from payops.errors import Failure, SourceError
from payops.sources.bounded import CutOffError
from payops.sources.postgres_pool import Pool


class FakeSession:
    broken = False

    def close(self) -> None: ...


def pool_of(slots: int, kind: Failure = Failure.TOO_MANY_CONNECTIONS) -> tuple[Pool, list[Any]]:
    """A pool of a server that gives so many connections."""
    made: list[Any] = []

    def connect(at_most: float) -> Any:
        if len(made) >= slots:
            raise SourceError("postgres", kind, "no slot")
        made.append(FakeSession())
        return made[-1]

    return Pool(connect), made


def test_with_one_slot_left_all_take_turns() -> None:
    pool, made = pool_of(1)
    done: list[int] = []

    def work(number: int) -> None:
        session = pool.borrow(10)
        time.sleep(0.12)
        done.append(number)
        pool.give_back(session)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [*range(6)]
    assert len(made) == 1


def test_without_any_slot_it_is_told_at_once() -> None:
    pool, _ = pool_of(0)
    with pytest.raises(SourceError, match="no slot"):
        pool.borrow(5)


def test_another_failure_is_told_though_one_session_works() -> None:
    pool, _ = pool_of(1, Failure.AUTHENTICATION)
    pool.borrow(1)
    with pytest.raises(SourceError, match="no slot"):
        pool.borrow(1)


def test_a_slot_that_stays_busy_is_waited_for_until_the_end() -> None:
    pool, _ = pool_of(1)
    pool.borrow(1)
    started = time.monotonic()
    with pytest.raises(SourceError, match="stayed busy"):
        pool.borrow(0.6)
    assert 0.5 < time.monotonic() - started < 3


def test_while_the_first_still_connects_nobody_is_called_busy() -> None:
    hangs = threading.Event()

    def connect(at_most: float) -> Any:
        hangs.wait(10)
        return FakeSession()

    pool = Pool(connect)
    waiting = [threading.Thread(target=pool.borrow, args=(9,), daemon=True) for _ in range(3)]
    for thread in waiting:
        thread.start()
    with pytest.raises(CutOffError, match="no connection within 0"):
        pool.borrow(0.8)
    hangs.set()
    for thread in waiting:
        thread.join(5)
    assert not any(thread.is_alive() for thread in waiting)
