"""How much work waits for a worker?

Where a worker is dead or too slow, payments stay pending, receipts are not sent and the hourly
reconciliation does not run (runbook 004: process_payment and reconcile_payments are Celery tasks).
"""

from __future__ import annotations

from payops.checks.contract import Check
from payops.checks.queues import Facts, gather, unreadable
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.queues import QueueState

LIMITS = {
    # no runbook gives one; `queues: NAME: most` is for a queue of its own
    "waiting": Threshold(
        1000, 10000, "count", "payops: S4-26 counts them; a worker does 10 a second"
    ),
}
# A queue's own `most` is where WARN begins; so far beyond it nobody works any more.
_CRIT_TIMES = 10


def judge(facts: Facts, limits: Limits) -> CheckResult:
    told = [(_judged(one, facts, limits), one) for one in facts.queues if not one.problem]
    most = max((one.waiting for one in facts.queues), default=0)
    statuses = [status for status, _ in told]
    broken = unreadable(facts)
    bad = [one for status, one in told if status is not Status.OK]
    parts = [_text(one) for one in (bad or facts.queues) if not one.problem]
    if broken:
        statuses.append(broken[0])
        parts.insert(0, broken[1])
    status = worst(statuses)
    return CheckResult(
        status,
        shortened("; ".join(parts), 400),
        as_of=facts.as_of,
        measured={"waiting": most},
        evidence=tuple(
            Evidence(
                _detail(one),
                "redis",
                facts.as_of,
                {"queue": one.name, "waiting": one.waiting},
            )
            for one in bad
        ),
        actions=_actions(bad, facts, broken is not None) if status is not Status.OK else (),
    )


def _judged(one: QueueState, facts: Facts, limits: Limits) -> Status:
    limit = limits["waiting"]
    own = facts.own[one.name].most if one.name in facts.own else None
    if own is not None:
        limit = Threshold(own, own * _CRIT_TIMES, "count", "configuration")
    # A paused one waits because somebody said so; it is told all the same.
    paused = Status.WARN if one.paused and one.waiting else Status.OK
    return worst([limit.judge(one.waiting), paused])


def _text(one: QueueState) -> str:
    name = shortened(harmless(one.name), 40)
    paused = ", and the queue is paused" if one.paused else ""
    return f"{one.waiting:,} wait in {name}{paused}"


def _detail(one: QueueState) -> str:
    parts = [f"{_text(one)} ({one.kind})"]
    parts += [
        f"{number:,} {word}"
        for number, word in (
            (one.taken, "taken by workers"),
            (one.delayed, "delayed"),
            (one.failed, "failed"),
        )
        if number
    ]
    return "; ".join(parts)


def _actions(bad: list[QueueState], facts: Facts, broken: bool) -> tuple[Action, ...]:
    found = []
    if any(one.kind == "celery" for one in bad):
        found.append(Action("See whether its workers live: celery -A YOUR_APP inspect active"))
    elif bad:
        found.append(Action("See whether its workers live, and what they log"))
    if bad:
        found.append(
            Action("Payments that wait for it are pending", "payops health --only payments")
        )
    if broken:
        found.append(
            Action("Correct queues: in the configuration: kind and key", "payops config show")
        )
    return tuple(found)


CHECK = Check(
    title="Workers keep up with their queues",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-25", "S4-26"),
)
