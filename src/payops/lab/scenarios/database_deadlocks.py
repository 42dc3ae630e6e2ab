"""Transactions lock the same two rows in another order, and the server ends one of each pair.

Its customer sees an error and pays again. The server only counts deadlocks; its log names both
statements (runbook 002, a timeout during the transaction).
"""

from __future__ import annotations

import threading
from typing import Any

import psycopg

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.counting import begin_anew, begin_if_unknown, wait_for_a_rate
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

# The server looks for a deadlock when a lock was waited for so long; 1 s unless set.
_AT_ONCE = "-c deadlock_timeout=10ms"
# Any two numbers of an application's own; nothing else of the lab locks by them.
_FIRST, _SECOND = 7_001, 7_002


def inject(lab: Lab, parameters: Parameters) -> None:
    lab.remember(counted=True)
    begin_if_unknown(lab)
    with _session(lab) as one, _session(lab) as other:
        for _ in range(parameters["count"]):
            _deadlock(one, other)
    wait_for_a_rate(lab)


def _session(lab: Lab) -> psycopg.Connection[Any]:
    """Its counts are handed in when it ends."""
    return psycopg.connect(
        lab.info.postgres_dsn, connect_timeout=5, options=_AT_ONCE, application_name="checkout"
    )


def _deadlock(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> None:
    """Each has what the other waits for; exactly one of them is ended by the server."""
    _lock(one, _FIRST)
    _lock(other, _SECOND)
    ended: list[Exception] = []

    def wait(session: psycopg.Connection[Any], number: int) -> None:
        try:
            _lock(session, number)
        except psycopg.errors.DeadlockDetected as error:
            ended.append(error)
        session.rollback()

    waiting = threading.Thread(target=wait, args=(one, _SECOND), daemon=True)
    waiting.start()
    wait(other, _FIRST)
    waiting.join()
    if len(ended) != 1:
        raise LabError(f"the server ended {len(ended)} of two transactions in a deadlock")


def _lock(session: psycopg.Connection[Any], number: int) -> None:
    session.execute("SELECT pg_advisory_xact_lock(%s)", (number,))


def heal(lab: Lab) -> None:
    if lab.recall().get("counted"):
        begin_anew(lab)


SCENARIO = Scenario(
    title="Transactions die in deadlocks",
    runbook="002, a timeout during the transaction",
    breaks="pairs of transactions lock two things in another order, and one of each is ended",
    expected={"postgres.deadlocks": Status.WARN},
    inject=inject,
    heal=heal,
    holds=frozenset({"counters of the database"}),
    parameters={"count": Parameter(3, 2, 10, "deadlocks; more than one an hour is WARN")},
    outside="have the application take its locks in one order",
)
