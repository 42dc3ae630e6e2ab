"""What the numbers of `payops stats` say: the runbooks' alerts and targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from payops.checks.ledger import MAP_THEM, Tally, not_judged, reason_text, unmapped
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits

if TYPE_CHECKING:
    from payops.engine.stats_numbers import Numbers

_WHY = Action("See why they failed", "payops health --only payments.failure-rate")
_SLOW = Action("See whether Stripe, the database or events are slow", "payops health")


def judge_success(found: Numbers, limits: Limits) -> CheckResult:
    """Of the payments whose end was in our hands, how many succeeded (S0-40)?"""
    span = found.spans.judged
    counted = found.tallies[span.name]
    measured = {"sample": counted.decided, "paid": counted.paid, "failed": counted.ours}
    rate = share(counted.paid, counted.decided)
    if rate is None:
        return _none(found, counted, measured)
    status, note = _of_few(limits, limits["rate"].judge(rate), counted.decided)
    return CheckResult(
        _known(status, counted),
        f"{rate:g} % of {_many(counted.decided)} succeeded in {span.title}{note}"
        f"{_unknown(counted)}",
        source="postgres",
        as_of=found.as_of,
        since=counted.since if status is not Status.OK else None,
        measured={"rate": rate, **measured},
        actions=_actions(status, counted),
        money_at_risk=counted.money,
    )


def judge_errors(found: Numbers, limits: Limits) -> CheckResult:
    """Of all payments, how many failed by our fault (S0-41)?"""
    span = found.spans.judged
    counted = found.tallies[span.name]
    measured = {"sample": counted.attempts, "failed": counted.ours, "declined": counted.declined}
    rate = share(counted.ours, counted.attempts, up=True)
    if rate is None:
        return _none(found, counted, measured)
    status, note = _of_few(limits, limits["rate"].judge(rate), counted.attempts)
    top = f", most by {reason_text(next(iter(counted.reasons)))}" if counted.reasons else ""
    return CheckResult(
        _known(status, counted),
        f"{rate:g} % of {_many(counted.attempts)} failed by our fault in {span.title}{top}{note}"
        f"{_unknown(counted)}",
        source="postgres",
        as_of=found.as_of,
        since=counted.since if status is not Status.OK else None,
        measured={"rate": rate, **measured},
        actions=_actions(status, counted),
        money_at_risk=counted.money if status is not Status.OK else (),
    )


def judge_latency(found: Numbers, limits: Limits) -> CheckResult:
    """How long did the slowest twentieth take from creation to completion (S0-42)?"""
    span = found.spans.judged
    one = found.latency[span.name]
    measured = {"sample": one.count, "negative": one.negative, "average": _whole(one.average)}
    if one.p95 is None or one.average is None:
        return CheckResult(
            Status.OK,
            f"no payment was completed in {span.title}: nothing to judge",
            source="postgres",
            as_of=found.as_of,
            measured={"p95": None, **measured},
        )
    status, note = _of_few(limits, limits["p95"].judge(one.p95), one.count, short=True)
    odd = f"; {one.negative:,} completed before they began" if one.negative else ""
    return CheckResult(
        status,
        f"a payment took {human_duration(one.average / 1000)} on average, p95 "
        f"{human_duration(one.p95 / 1000)} ({one.count:,} in {span.title}){note}{odd}",
        source="postgres",
        as_of=found.as_of,
        measured={"p95": _whole(one.p95), **measured},
        actions=() if status is Status.OK else (_SLOW,),
    )


def judge_targets(found: Numbers, limits: Limits) -> CheckResult:
    """Did a week or a month reach what runbook 001 aims at (S1-12, S1-13)?"""
    span = found.spans.judged
    counted, one = found.tallies[span.name], found.latency.get(span.name)
    rate = share(counted.paid, counted.decided)
    average = one.average if one else None
    p95 = one.p95 if one else None
    measured = {"success": rate, "average": _whole(average), "p95": _whole(p95)}
    if rate is None:
        return _none(found, counted, measured)
    values = {"success": rate, "average": average, "p95": p95}
    judged = {n: limits[n].judge(value) for n, value in values.items() if value is not None}
    missed = [name for name, status in judged.items() if status is not Status.OK]
    words = {
        "success": f"{rate:g} % success",
        "average": f"average {human_duration((average or 0) / 1000)}",
        "p95": f"p95 {human_duration((p95 or 0) / 1000)}",
    }
    told = ", ".join(words[name] for name in judged)
    if "average" not in judged:
        told += "; how long payments took is not known"
    verdict = (
        "missed by " + ", ".join(f"{name} (target {_target(limits, name)})" for name in missed)
        if missed
        else "all targets reached"
    )
    return CheckResult(
        _known(worst(judged.values()), counted),
        f"{verdict} in {span.title}: {told}{_unknown(counted)}",
        source="postgres",
        as_of=found.as_of,
        measured=measured,
        actions=_actions(Status.WARN if "success" in missed else Status.OK, counted)
        + ((_SLOW,) if {"average", "p95"} & {*missed} else ()),
    )


def share(part: int, whole: int, *, up: bool = False) -> float | None:
    """Per cent with one decimal, rounded towards the worse: 99.96 % success is never 100 %, and a
    single failure never 0 %. None of nothing.

    >>> share(9996, 10000), share(1, 10000, up=True), share(0, 0)
    (99.9, 0.1, None)
    """
    if not whole:
        return None
    tenths = -(-part * 1000 // whole) if up else part * 1000 // whole
    return tenths / 10


def _none(found: Numbers, counted: Tally, measured: Mapping[str, Scalar]) -> CheckResult:
    span = found.spans.judged
    return CheckResult(
        Status.WARN if counted.unknown else Status.OK,
        not_judged(counted, span.title),
        source="postgres",
        as_of=found.as_of,
        measured={"rate": None, **measured},
        actions=(MAP_THEM,) if counted.unknown else (),
    )


def _of_few(
    limits: Limits, status: Status, count: int, *, short: bool = False
) -> tuple[Status, str]:
    """Of few payments no more than WARN; of few that were timed nothing is said at all: two slow
    ones of three are no p95."""
    if status is Status.OK or limits["sample"].judge(count) is Status.OK:
        return status, ""
    return Status.OK if short else Status.WARN, "; too few to be sure"


def _known(status: Status, counted: Tally) -> Status:
    return Status.WARN if counted.unknown and status is Status.OK else status


def _unknown(counted: Tally) -> str:
    return f"; {unmapped(counted)}" if counted.unknown else ""


def _actions(status: Status, counted: Tally) -> tuple[Action, ...]:
    why = (_WHY,) if status is not Status.OK and counted.ours else ()
    return (*why, *((MAP_THEM,) if counted.unknown else ()))


def _target(limits: Limits, name: str) -> str:
    limit = limits[name]
    bound = limit.warn if limit.warn is not None else limit.crit
    if limit.unit == "ms":
        return f"below {human_duration((bound or 0) / 1000)}"
    return f"above {bound:g} %"


def _many(count: int) -> str:
    return f"{count:,} payment" + ("" if count == 1 else "s")


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)
