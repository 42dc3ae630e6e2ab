"""Do as many payments come as in the same hours of the last days?

A checkout that is broken before the payment leaves no failed row: nothing comes, every rate is
good, and nobody is called (runbook 004: users cannot record payments). At night nothing comes
either; so the present is held against the same hours, and chance is left its due.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from payops.checks.contract import Check, Context
from payops.checks.ledger import database_window, signs
from payops.domain.duration import human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.domain.window import Window

LIMITS = {
    "share": Threshold(
        50, 20, "%", "S4-40: payments cannot be recorded; none in the last minutes", "lower"
    ),
    # Payments that come by themselves vary as Poisson's do: 3 where 7 are usual is nothing.
    "chance": Threshold(0.1, None, "%", "payops: a drop that chance explains is none", "lower"),
}
# A longer window would be held against days that it contains.
LONGEST = timedelta(hours=24)
_FEWEST_DAYS = 2


@dataclass(frozen=True)
class Facts:
    """Payments of the window, and of the same hours of the days before, yesterday first."""

    as_of: datetime
    window_s: float
    now: int
    before: tuple[int, ...]


def gather(ctx: Context) -> Facts:
    window = database_window(ctx)
    if window.length > LONGEST:
        window = Window(window.until - LONGEST, window.until)
    found = signs(ctx).volume(window)
    return Facts(found.as_of, window.length.total_seconds(), found.now, found.before)


def usual(before: tuple[int, ...]) -> float | None:
    """What the same hours usually bring; None when too few days are known.

    Their median, or the same day of last week's number where that is lower: a Sunday is no drop.
    Days before the ledger's first payment do not count.

    >>> usual((10, 12, 11, 0, 0, 0, 0)), usual((10, 10, 10, 10, 10, 10, 2)), usual((9,) + (0,) * 6)
    (11, 2, None)
    """
    known = list(before)
    while known and known[-1] == 0:
        known.pop()
    if len(known) < _FEWEST_DAYS:
        return None
    expected = median(known)
    return min(expected, known[6]) if len(known) == 7 else expected


def chance(count: int, expected: float) -> float:
    """How likely it is, in %, that no more than `count` come where `expected` do (Poisson).

    >>> round(chance(0, 7), 2), round(chance(3, 7), 1), chance(5, 0)
    (0.09, 8.2, 100.0)
    """
    if expected <= 0:
        return 100.0
    logs = (k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(count + 1))
    return min(100.0, 100 * math.fsum(math.exp(one) for one in logs))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    span, expected = human_span(facts.window_s), usual(facts.before)
    noun = "payment" if facts.now == 1 else "payments"
    came = f"{facts.now:,} {noun} in {span}"
    if expected is None or expected == 0:
        why = "fewer than 2 days to compare" if expected is None else "none is usual at this time"
        return CheckResult(
            Status.OK,
            f"{came}; {why}",
            as_of=facts.as_of,
            measured={"share": None, "chance": None, "count": facts.now},
        )
    share = 100 * facts.now / expected
    # Above what is usual nothing has to be reckoned, and k! of a large shop is long.
    likely = 100.0 if facts.now >= expected else chance(facts.now, expected)
    status = limits["share"].judge(share)
    by_chance = limits["chance"].judge(likely) is Status.OK
    if by_chance:
        status = Status.OK
    summary = f"{came}, {share:.0f} % of what is usual in the same hours ({expected:,.0f})"
    if by_chance and limits["share"].judge(share) is not Status.OK:
        summary += "; so few that it may be chance"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=facts.as_of - timedelta(seconds=facts.window_s)
        if status is not Status.OK and facts.now == 0
        else None,
        measured={
            "share": round(share, 1),
            "chance": round(likely, 3),
            "count": facts.now,
            "usual": expected,
        },
        evidence=(
            Evidence(
                "the same hours before, yesterday first: "
                + ", ".join(f"{count:,}" for count in facts.before),
                "postgres",
                facts.as_of,
            ),
        ),
        actions=(
            Action("Try to pay, as a customer would: the checkout, its page, its scripts"),
            Action(
                "See whether the application and its endpoints answer, and whether Stripe sees "
                "payments that the ledger lacks",
                "payops health --only 'app,stripe,circuit'",
            ),
            Action("Compare with Stripe", "payops reconcile --since 2h"),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="As many payments come as usual",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-40", "S1-16", "S4-34"),
)
