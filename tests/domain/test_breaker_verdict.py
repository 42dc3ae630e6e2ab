"""What to make of a breaker: every state against every evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.breaker_verdict import Guarded, Traffic, Verdict, judge_breaker
from payops.domain.status import Status
from tools import assert_typeable

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
WELL, DOWN = Guarded("stripe", True, "in 120 ms"), Guarded("stripe", False, "HTTP 503")
SILENT = Guarded("stripe", None, "not configured")
CLOSED, OPEN, HALF = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def reading(state: BreakerState | None, **more: Any) -> BreakerReading:
    given: dict[str, Any] = {
        "name": "stripe",
        "state": state,
        "raw_state": state.value if state else "ajar",
        "failures": None,
        "failure_threshold": 5,
        "opened_at": ago(12) if state in {OPEN, HALF} else None,
        "last_failure": None,
        "recovery_s": 30,
        "keys": ("k",),
    }
    return BreakerReading(**given | more)


def traffic(attempts: int, failed: int, since_due: int | None = None) -> Traffic:
    return Traffic(300, attempts, failed, ago(1) if failed else None, ago(1), since_due)


FAILING = traffic(10, 5)
QUIET = traffic(0, 0, 0)

CASES: list[tuple[BreakerReading, Guarded, Traffic | None, Verdict, Status, str]] = [
    (reading(CLOSED), WELL, None, Verdict.GOOD, Status.OK, "closed"),
    (reading(CLOSED, failures=4), WELL, None, Verdict.GOOD, Status.OK, "4 of 5 failures counted"),
    (reading(CLOSED, keys=()), WELL, None, Verdict.GOOD, Status.OK, "none of its keys"),
    (reading(CLOSED), DOWN, traffic(10, 4), Verdict.GOOD, Status.OK, "closed"),
    (
        reading(CLOSED),
        DOWN,
        FAILING,
        Verdict.SHOULD_OPEN,
        Status.WARN,
        "closed while 50 % of payments fail (5 of 10 in 5 min), and Stripe still fails (HTTP 503)",
    ),
    (reading(CLOSED), WELL, FAILING, Verdict.SHOULD_OPEN, Status.WARN, "these are not counted"),
    (reading(CLOSED), WELL, traffic(1000, 5), Verdict.GOOD, Status.OK, "closed"),
    (reading(HALF), WELL, None, Verdict.TRIAL, Status.WARN, "the next call decides"),
    (reading(None), WELL, None, Verdict.CANNOT_TELL, Status.UNKNOWN, "'ajar'"),
    (reading(OPEN), DOWN, FAILING, Verdict.LEAVE, Status.CRIT, "leave it"),
    (reading(OPEN), SILENT, None, Verdict.CANNOT_TELL, Status.CRIT, "cannot be told"),
    (
        reading(OPEN, opened_at=NOW - timedelta(seconds=10)),
        WELL,
        None,
        Verdict.WAIT,
        Status.CRIT,
        "half-open is due in 20 s",
    ),
    (reading(OPEN), WELL, QUIET, Verdict.WAITS, Status.WARN, "the next payment is the trial"),
    (
        reading(OPEN, last_failure=ago(12)),
        WELL,
        traffic(9, 9, 9),
        Verdict.SAFE_TO_CLOSE,
        Status.CRIT,
        (
            "open for 12 min, but Stripe answers (in 120 ms), the last failure was 12 min ago, and "
            "9 tried since half-open was due 11 min ago: safe to close"
        ),
    ),
    (reading(OPEN), WELL, None, Verdict.SAFE_TO_CLOSE, Status.CRIT, "safe to close"),
    (
        reading(OPEN, opened_at=None),
        WELL,
        QUIET,
        Verdict.SAFE_TO_CLOSE,
        Status.CRIT,
        "open, but Stripe answers",
    ),
    (reading(OPEN, computed=True), WELL, None, Verdict.TRIAL, Status.WARN, "half-open"),
]


@pytest.mark.parametrize(("one", "guarded", "payments", "verdict", "status", "words"), CASES)
def test_a_verdict(
    one: BreakerReading,
    guarded: Guarded,
    payments: Traffic | None,
    verdict: Verdict,
    status: Status,
    words: str,
) -> None:
    judged = judge_breaker(one, guarded, payments, NOW)
    assert (judged.verdict, judged.status) == (verdict, status)
    assert words in judged.sentence
    for action in judged.actions:
        if action.command:
            assert_typeable(action.command)


def test_every_verdict_is_tried() -> None:
    assert {verdict for *_, verdict, _, _ in CASES} == set(Verdict)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (reading(OPEN, opened_at=None), "open without an opening time"),
        (reading(CLOSED, failures=5), "closed with 5 failures counted, and 5 open it"),
        (reading(OPEN, opened_at=NOW + timedelta(minutes=1)), "opening time lies in the future"),
        (reading(CLOSED, last_failure=NOW + timedelta(minutes=1)), "last failure lies in the"),
        (reading(CLOSED, odd=("failures",)), "failures is not understood"),
    ],
)
def test_a_contradiction(one: BreakerReading, words: str) -> None:
    (told,) = one.contradictions(NOW)
    assert words in told


@pytest.mark.parametrize(
    "one",
    [
        reading(CLOSED, failures=4),
        reading(OPEN),
        reading(OPEN, opened_at=None, due_at=ago(-1)),
        reading(OPEN, opened_at=NOW + timedelta(seconds=4)),
    ],
)
def test_no_contradiction(one: BreakerReading) -> None:
    assert one.contradictions(NOW) == ()


@pytest.mark.parametrize(("seconds", "state"), [(29.9, OPEN), (30, HALF), (31, HALF)])
def test_half_open_that_is_computed(seconds: float, state: BreakerState) -> None:
    one = reading(OPEN, opened_at=NOW - timedelta(seconds=seconds), computed=True)
    assert one.effective(NOW) is state
    assert reading(OPEN, opened_at=None, computed=True).effective(NOW) is HALF
