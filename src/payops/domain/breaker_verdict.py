"""What to make of a breaker, once what it guards and what payments do are known.

A breaker says only what it believes. Whether it should be closed is told by others: does Stripe
answer, do payments fail, does anybody try (runbook 004, scenarios 1 and 2).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.status import Status
from payops.domain.text import shortened

# Which check tells whether what a breaker guards is well.
GUARDS = {
    "stripe": "stripe.api",
    "postgres": "postgres.connect",
    "redis": "redis.connect",
    "app": "app.health",
}


class Verdict(Enum):
    """The value is the word in JSON."""

    GOOD = "as it should be"
    SHOULD_OPEN = "should be open"
    SAFE_TO_CLOSE = "safe to close"
    WAITS = "waits for traffic"
    WAIT = "wait"
    """Open, what it guards is well, and half-open is not due yet."""
    LEAVE = "leave it"
    """Open, and what it guards still fails: it does what it is for."""
    TRIAL = "on trial"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Guarded:
    """What the breaker guards, asked just now: `answers` is None when it could not be asked.
    `how` is what was seen, in words (`HTTP 200 in 120 ms`)."""

    name: str
    answers: bool | None
    how: str = ""


@dataclass(frozen=True)
class Traffic:
    """Payments of the last `window_s` seconds by the ledger: how many were tried, and how many of
    them failed by our fault or Stripe's; `last_failure` and `last_attempt` by the same clock as the
    breaker's times. `since_due` were tried since half-open was due (None: nothing was due)."""

    window_s: float
    attempts: int
    failed: int
    last_failure: datetime | None = None
    last_attempt: datetime | None = None
    since_due: int | None = None

    @property
    def share(self) -> float:
        """Failed of tried, in per cent."""
        return 100 * self.failed / self.attempts if self.attempts else 0.0


@dataclass(frozen=True)
class Judged:
    """A verdict in a sentence, with what to do."""

    verdict: Verdict
    status: Status
    sentence: str
    actions: tuple[Action, ...] = ()


# Of payments: a breaker that lets so many fail does not do what it is for. Fewer may be so spread
# that its window never held enough of them.
_MUCH = 40.0


def judge_breaker(
    reading: BreakerReading, guarded: Guarded, traffic: Traffic | None, now: datetime
) -> Judged:
    """`now` is Redis' clock; `traffic` is None where there is no ledger, or none that answers."""
    state = reading.effective(now)
    if state is None:
        stored = shortened(repr(reading.raw_state), 60)
        return Judged(
            Verdict.CANNOT_TELL, Status.UNKNOWN, f"stored as {stored}, which is no state known"
        )
    if state is BreakerState.CLOSED:
        return _closed(reading, guarded, traffic)
    if state is BreakerState.HALF_OPEN:
        return Judged(
            Verdict.TRIAL,
            Status.WARN,
            f"half-open: the next call decides; {_guard(guarded)}",
            (Action("Watch it", f"payops circuit watch {_name(reading)} --until closed"),),
        )
    return _open(reading, guarded, traffic, now)


def _closed(reading: BreakerReading, guarded: Guarded, traffic: Traffic | None) -> Judged:
    failing = (
        traffic is not None
        and traffic.failed >= reading.failure_threshold
        and traffic.share >= _MUCH
    )
    if failing and guarded.answers is False:
        assert traffic is not None  # noqa: S101  failing
        return Judged(
            Verdict.SHOULD_OPEN,
            Status.WARN,
            f"closed while {_failed(traffic)}, and {_guard(guarded)}: it should be open",
            (
                Action(
                    "Open it by hand, so that payments fail fast and are not half made",
                    f"payops circuit trip {_name(reading)} --for 10m",
                ),
            ),
        )
    if failing:
        assert traffic is not None  # noqa: S101
        return Judged(
            Verdict.SHOULD_OPEN,
            Status.WARN,
            f"closed while {_failed(traffic)}; {reading.failure_threshold} open it, so these are "
            f"not counted; {_guard(guarded)}",
            (Action("See what fails", "payops health --only payments"),),
        )
    counted = ""
    if reading.failures:
        counted = f", {reading.failures:,} of {reading.failure_threshold} failures counted"
    absent = "" if reading.keys else ", none of its keys is stored"
    return Judged(Verdict.GOOD, Status.OK, f"closed{counted}{absent}")


def _open(
    reading: BreakerReading, guarded: Guarded, traffic: Traffic | None, now: datetime
) -> Judged:
    since = f" for {_ago(reading.opened, now)}" if reading.opened else ""
    if guarded.answers is False:
        return Judged(
            Verdict.LEAVE,
            Status.CRIT,
            f"open{since}, and {_guard(guarded)}: leave it, it keeps payments from failing slowly",
            (Action(f"See what is wrong with {guarded.name.capitalize()}", _ask(guarded.name)),),
        )
    if guarded.answers is None:
        return Judged(
            Verdict.CANNOT_TELL,
            Status.CRIT,
            f"open{since}, and {_guard(guarded)}: whether it may be closed cannot be told",
            (Action(f"First see whether {guarded.name.capitalize()} answers", _ask(guarded.name)),),
        )
    overdue = reading.overdue_s(now)
    if reading.due is not None and overdue is None:
        left = human_duration(max((reading.due - now).total_seconds(), 0))
        return Judged(
            Verdict.WAIT,
            Status.CRIT,
            f"open{since}, but {_guard(guarded)}; half-open is due in {left}: wait for it",
            (Action("Watch it", f"payops circuit watch {_name(reading)} --until closed"),),
        )
    if overdue is not None and traffic is not None and traffic.since_due == 0:
        return Judged(
            Verdict.WAITS,
            Status.WARN,
            f"open{since}, but {_guard(guarded)}, and nobody has tried since half-open was due "
            f"{human_duration(overdue)} ago: the next payment is the trial",
            (
                Action(
                    "Nothing has to be done; not to make the next customer the trial, close it",
                    f"payops circuit reset {_name(reading)}",
                ),
            ),
        )
    # Not the ledger's: what fails while it is open was refused by the breaker itself.
    failed = reading.last_failure
    last = f", the last failure was {_ago(failed, now)} ago" if failed else ""
    tried = ""
    if overdue is not None and traffic is not None and traffic.since_due:
        tried = (
            f", and {traffic.since_due:,} tried since half-open was due "
            f"{human_duration(overdue)} ago"
        )
    return Judged(
        Verdict.SAFE_TO_CLOSE,
        Status.CRIT,
        f"open{since}, but {_guard(guarded)}{last}{tried}: safe to close",
        (Action("Close it (runbook 004, scenario 2)", f"payops circuit reset {_name(reading)}"),),
    )


def _failed(traffic: Traffic) -> str:
    return (
        f"{traffic.share:.0f} % of payments fail ({traffic.failed:,} of {traffic.attempts:,} in "
        f"{human_duration(traffic.window_s)})"
    )


def _guard(guarded: Guarded) -> str:
    name = guarded.name.capitalize()
    told = f" ({guarded.how})" if guarded.how else ""
    if guarded.answers is None:
        return f"{name} could not be asked{told}"
    return f"{name} answers{told}" if guarded.answers else f"{name} still fails{told}"


def _ago(moment: datetime, now: datetime) -> str:
    return human_duration(max((now - moment).total_seconds(), 0))


def _name(reading: BreakerReading) -> str:
    return shlex.quote(reading.name)


def _ask(name: str) -> str:
    return f"payops health --only {GUARDS[name]}" if name in GUARDS else ""
