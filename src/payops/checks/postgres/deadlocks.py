"""Do transactions die in deadlocks?

Two payments that lock the same rows in another order: the server ends one of them, and the
customer sees an error (runbook 002, a database transaction that did not end). The server only
counts them, so a rate needs an earlier run, or counters that were reset at a known time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.counted import Rate, rate_of
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

ID = "postgres.deadlocks"
LIMITS = {
    "rate": Threshold(1, 10, "count", "payops: an hour; one by chance, ten are a pattern"),
}
_HOUR_S = 3600


@dataclass(frozen=True)
class Facts:
    """`total` deadlocks since the counters began; `rate` is None where no time is known."""

    as_of: datetime
    total: int
    rate: Rate | None


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database

    here = database(ctx.sources.postgres)
    rate = rate_of(here.deadlocks, here.as_of, ctx.earlier.get(ID), "total", here.counted_s)
    return Facts(here.as_of, here.deadlocks, rate)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    if facts.rate is None:
        return _untold(facts)
    hourly = facts.rate.per_second * _HOUR_S
    # One in the five minutes since the last run is one, not twelve an hour.
    judged = hourly if facts.rate.seconds >= _HOUR_S else float(facts.rate.count)
    status = limits["rate"].judge(judged)
    return CheckResult(
        status,
        f"{facts.rate.count:,} deadlocks in {human_duration(facts.rate.seconds)} "
        f"({hourly:.1f} an hour)",
        as_of=facts.as_of,
        measured={"rate": round(judged, 2), "total": facts.total},
        actions=(
            Action(
                "See the server's log: it names both statements of each deadlock. Lock rows in one "
                "order everywhere, and try a transaction that ended so (SQLSTATE 40P01) again"
            ),
        )
        if status is not Status.OK
        else (),
    )


def _untold(facts: Facts) -> CheckResult:
    """Counted since nobody knows when: no rate. The count is there for the next run."""
    if facts.total == 0:
        return CheckResult(
            Status.OK,
            "no deadlock was ever counted",
            as_of=facts.as_of,
            measured={"rate": 0, "total": 0},
        )
    return CheckResult(
        Status.SKIP,
        f"{facts.total:,} deadlocks counted, since when is not known: how many are new takes "
        "an earlier run to compare with",
        as_of=facts.as_of,
        measured={"rate": None, "total": facts.total},
    )


CHECK = Check(
    title="Transactions do not deadlock",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-18",),
)
