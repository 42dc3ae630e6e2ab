"""Scans the parts of many files side by side: one process a core, none of which stays behind.

A part that kills its process (out of memory, a bad disk) is told and the others go on. Workers
ignore ^C, which the shell sends them too: the parent ends them, and where it was killed itself,
they notice that it is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from payops.domain.deadline import Deadline
from payops.keys.scan_files import LATE, Job, Part, Scanned, scan_part

WORTH_A_PROCESS = 8 << 20
"""Bytes for which another process is started: below it, starting costs more than it brings."""


def scanned(parts: list[Part], job: Job, lanes: int, deadline: Deadline) -> Iterator[Scanned]:
    """What came of each part, in no order, by the deadline at the latest.

    A part that was not reached comes with a failure that says so.
    """
    if lanes <= 1:
        yield from _in_a_thread(parts, job, deadline)
    else:
        yield from _in_processes(parts, job, lanes, deadline)


def _in_a_thread(parts: list[Part], job: Job, deadline: Deadline) -> Iterator[Scanned]:
    """On a daemon thread: a read that hangs in a dead network disk is left behind."""
    answers: queue.SimpleQueue[Scanned] = queue.SimpleQueue()

    def run() -> None:
        for part in parts:
            answers.put(_scan(part, job, deadline))

    threading.Thread(target=run, name="keys scan", daemon=True).start()
    for number in range(len(parts)):
        try:
            yield answers.get(timeout=deadline.remaining + 0.5)
        except queue.Empty:
            yield from (_not_reached(part, job) for part in parts[number:])
            return


def _scan(part: Part, job: Job, deadline: Deadline) -> Scanned:
    if not deadline.remaining:
        return _not_reached(part, job)
    try:
        return scan_part(part, job, lambda: not deadline.remaining)
    except Exception as error:  # noqa: BLE001  a fault of ours in one file hides no other
        return Scanned(part, job.findings(), failure=f"fault of payops: {type(error).__name__}")


def _in_processes(parts: list[Part], job: Job, lanes: int, deadline: Deadline) -> Iterator[Scanned]:
    waiting = list(reversed(parts))
    workers: dict[Connection, BaseProcess] = {}
    at_work: dict[Connection, Part] = {}
    try:
        for _ in range(min(lanes, len(parts))):
            connection, process = _started(job, deadline, tuple(workers))
            workers[connection] = process
            _hand_out(connection, waiting, at_work)
        while at_work:
            ready = wait(list(at_work), timeout=deadline.remaining + 0.5)
            if not ready:  # the deadline, and they hang in a read
                break
            for each in ready:
                connection = each  # type: ignore[assignment]
                part = at_work.pop(connection)
                try:
                    yield connection.recv()
                except (EOFError, OSError):
                    failure = "the process that read it died: try it alone, with --jobs 1"
                    yield Scanned(part, job.findings(), failure=failure)
                    continue
                _hand_out(connection, waiting, at_work)
        for part in (*at_work.values(), *reversed(waiting)):
            yield _not_reached(part, job)
    finally:
        for process in workers.values():
            process.kill()
        for connection, process in workers.items():
            connection.close()
            process.join(1)  # killed: only one that hangs in the kernel takes longer


def _started(
    job: Job, deadline: Deadline, others: tuple[Connection, ...]
) -> tuple[Connection, BaseProcess]:
    # fork is the quickest and safe here: no other thread runs yet. Elsewhere than on Linux it is
    # not safe with the system's libraries.
    forks = sys.platform == "linux"
    context: Any = multiprocessing.get_context("fork" if forks else "spawn")
    ours, theirs = context.Pipe()
    # A fork has our ends of the pipes too, and while it keeps them no worker sees that we are gone.
    inherited = (ours, *others) if forks else ()
    process: BaseProcess = context.Process(
        target=_work, args=(theirs, inherited, job, deadline.remaining, os.getpid()), daemon=True
    )
    process.start()
    theirs.close()
    return ours, process


def _hand_out(connection: Connection, waiting: list[Part], at_work: dict[Connection, Part]) -> None:
    if waiting:
        part = waiting.pop()
        at_work[connection] = part
        with suppress(OSError):  # it is gone: its end of the pipe tells so
            connection.send(part)


def _work(
    connection: Connection,
    inherited: tuple[Connection, ...],
    job: Job,
    seconds: float,
    parent: int,
) -> None:
    for each in inherited:
        each.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_DFL)
    deadline = Deadline.after(seconds)
    with suppress(EOFError, OSError):  # the parent has what it wants, or is gone
        while True:
            part = connection.recv()
            try:
                done = scan_part(
                    part, job, lambda: not deadline.remaining or os.getppid() != parent
                )
            except Exception as error:  # noqa: BLE001  a fault of ours in one file hides no other
                failure = f"fault of payops: {type(error).__name__}"
                done = Scanned(part, job.findings(), failure=failure)
            connection.send(done)


def _not_reached(part: Part, job: Job) -> Scanned:
    return Scanned(part, job.findings(), failure=f"not read: {LATE}")
