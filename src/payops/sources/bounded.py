"""A call that is given up after a time, whatever it hangs in.

A socket timeout bounds one `recv`, not an answer: a server that drips a byte a second, a resolver
that does not answer and a database that hangs in mid-query outlive it. So every call to the
outside runs on a daemon thread of its own, which does not keep the process alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class CutOffError(TimeoutError):
    """The call had no result in time."""


def bounded(
    seconds: float,
    call: Callable[[], T],
    *,
    cut: Callable[[], None] | None = None,
    late: Callable[[T], None] | None = None,
) -> T:
    """The result of `call`, or its exception; raises CutOffError after `seconds`.

    `cut` then closes what the call hangs on, so that its thread ends soon; `late` is given a
    result that comes when nobody waits any more (a connection to be closed).
    """
    if seconds <= 0:
        raise CutOffError("no time left")
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    given_up = threading.Event()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001  raised again by the caller
            answers.put((None, error))
            return
        answers.put((result, None))
        if given_up.is_set() and late is not None:
            _dispose(answers, late)

    threading.Thread(target=run, name="payops-call", daemon=True).start()
    try:
        result, error = answers.get(timeout=seconds)
    except Empty:
        given_up.set()
        if late is not None:
            _dispose(answers, late)
        if cut is not None:
            with suppress(Exception):  # whatever state the connection is in, it is given up
                cut()
        raise CutOffError(f"no answer within {seconds:.1f} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # no error, so it is a T


def _dispose(
    answers: SimpleQueue[tuple[T | None, BaseException | None]], late: Callable[[T], None]
) -> None:
    """Give a late result away once, whichever of the two threads sees it."""
    with suppress(Empty):
        result, error = answers.get_nowait()
        if error is None:
            late(result)  # type: ignore[arg-type]
