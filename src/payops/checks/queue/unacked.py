"""Did workers take work and not finish it?

A worker that crashed or hangs keeps what it took: the payment is neither made nor failed (runbook
004, a worker that crashed before it wrote Stripe's answer down). Celery hands it out again after
its visibility timeout, an hour unless set otherwise; what is older, nobody hands out any more.
"""

from __future__ import annotations

from payops.checks.contract import Check
from payops.checks.queues import Facts, gather
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # Celery's visibility timeout is 1 h; tasks with an ETA are taken long before they are due
    "age": Threshold(4200, None, "s", "payops: S4-30; longer than Celery's visibility timeout"),
}


def judge(facts: Facts, limits: Limits) -> CheckResult:
    telling = [one for one in facts.queues if one.taken is not None]
    if not telling:
        return CheckResult(
            Status.SKIP,
            "no queue here tells what workers have taken",
            as_of=facts.as_of,
            measured={"age": None},
        )
    taken = max(one.taken or 0 for one in telling)
    oldest = max((one.taken_s or 0 for one in telling), default=0.0)
    status = limits["age"].judge(oldest)
    one = max(telling, key=lambda each: (each.taken_s or 0, each.taken or 0))
    name = shortened(harmless(one.name), 40)
    summary = "workers hold nothing"
    if taken:
        since = f", the oldest for {human_duration(oldest)}" if one.taken_s is not None else ""
        summary = f"workers hold {one.taken or 0:,} of {name}{since}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"age": round(oldest, 1), "taken": taken},
        actions=(
            Action(
                "See what workers do: celery -A YOUR_APP inspect active; restart those that hang"
            ),
            Action(
                "A payment that hangs in one may have been taken by Stripe: ask before retrying",
                "payops reconcile --since 24h",
            ),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="No worker sits on what it took",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-26", "S4-30"),
)
