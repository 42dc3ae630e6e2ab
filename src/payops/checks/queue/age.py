"""How long has the oldest work been waiting?

A short queue that stands still looks well by its length alone. RQ, Sidekiq and BullMQ tell when a
job was queued; Celery and a plain list do not.
"""

from __future__ import annotations

from payops.checks.contract import Check
from payops.checks.queues import Facts, gather
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.queues import QueueState

LIMITS = {
    # no runbook gives one; `queues: NAME: age` is for a queue of its own
    "age": Threshold(300, 1800, "s", "payops: S4-29 looks at payments pending for 30 min"),
}
_CRIT_TIMES = 6


def judge(facts: Facts, limits: Limits) -> CheckResult:
    aged = [one for one in facts.queues if one.oldest_s is not None]
    told = [(_judged(one, facts, limits), one) for one in aged]
    oldest = max((one.oldest_s or 0 for one in aged), default=0.0)
    measured: dict[str, float | None] = {"age": round(oldest, 1) if aged else None}
    if not aged:
        silent = [one for one in facts.queues if one.waiting and not one.problem]
        if silent:
            return CheckResult(
                Status.SKIP,
                f"{_name(silent[0])} does not tell when its work was queued ({silent[0].kind})",
                as_of=facts.as_of,
                measured=measured,
            )
        return CheckResult(
            Status.OK, "nothing waits in a queue", as_of=facts.as_of, measured=measured
        )
    status = worst(each for each, _ in told)
    bad = [one for each, one in told if each is not Status.OK]
    parts = [
        f"the oldest in {_name(one)} has waited {human_duration(one.oldest_s or 0)}"
        for one in (bad or aged)[:4]
    ]
    return CheckResult(
        status,
        "; ".join(parts),
        as_of=facts.as_of,
        measured=measured,
        evidence=tuple(
            Evidence(
                f"{_name(one)}: {one.waiting:,} wait, the oldest for "
                f"{human_duration(one.oldest_s or 0)}",
                "redis",
                facts.as_of,
                {"queue": one.name},
            )
            for one in bad
        ),
        actions=(Action("See whether its workers live, and what they log"),) if bad else (),
    )


def _judged(one: QueueState, facts: Facts, limits: Limits) -> Status:
    limit = limits["age"]
    own = facts.own[one.name].age if one.name in facts.own else None
    if own is not None:
        limit = Threshold(own, own * _CRIT_TIMES, "s", "configuration")
    return limit.judge(one.oldest_s or 0)


def _name(one: QueueState) -> str:
    return shortened(harmless(one.name), 40)


CHECK = Check(
    title="No work waits for long",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-25", "S4-29"),
)
