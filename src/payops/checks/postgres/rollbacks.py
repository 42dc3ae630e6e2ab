"""How many transactions are rolled back?

An application that fails after its first statement rolls back: a jump tells of an error that
customers see, whatever the application logs (runbook 002; runbook 000, data that is not saved). The
share needs no time: since an earlier run where one is remembered, else since the counters began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.counted import since_earlier
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

ID = "postgres.rollbacks"
LIMITS = {
    # frameworks roll back what only reads too, so a healthy share may be some per cent
    "share": Threshold(20, 50, "%", "payops: of all transactions; healthy is a few per cent"),
}
# Of fewer transactions a share says nothing.
ENOUGH = 500


@dataclass(frozen=True)
class Facts:
    """Counted in `seconds` (None: since when is not known); the totals are for the next run."""

    as_of: datetime
    commits: int
    rollbacks: int
    seconds: float | None
    total_commits: int
    total_rollbacks: int


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database

    here = database(ctx.sources.postgres)
    earlier = ctx.earlier.get(ID)
    commits = since_earlier(here.commits, here.as_of, earlier, "total_commits")
    rollbacks = since_earlier(here.rollbacks, here.as_of, earlier, "total_rollbacks")
    if commits is None or rollbacks is None:
        return Facts(
            here.as_of, here.commits, here.rollbacks, here.counted_s, here.commits, here.rollbacks
        )
    return Facts(
        here.as_of, commits.count, rollbacks.count, commits.seconds, here.commits, here.rollbacks
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    counted = facts.commits + facts.rollbacks
    share = 100 * facts.rollbacks / counted if counted else 0.0
    span = "as long as is counted"
    if facts.seconds is not None:
        span = f"the last {human_duration(facts.seconds)}"
    measured: dict[str, float | int | None] = {
        "share": round(share, 2),
        "per_second": round(facts.rollbacks / facts.seconds, 3) if facts.seconds else None,
        "total_commits": facts.total_commits,
        "total_rollbacks": facts.total_rollbacks,
    }
    status = limits["share"].judge(share) if counted >= ENOUGH else Status.OK
    few = "" if counted >= ENOUGH else ", too few to judge"
    return CheckResult(
        status,
        f"{facts.rollbacks:,} of {counted:,} transactions rolled back in {span} "
        f"({share:.1f} %){few}",
        as_of=facts.as_of,
        measured=measured,
        actions=(
            Action("See the application's and the server's log for the errors before ROLLBACK"),
            Action("See whether sessions wait for locks", "payops health --only postgres.locks"),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Few transactions are rolled back",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-18", "S0-55"),
)
