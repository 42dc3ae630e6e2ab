"""Is the application's clock right? It verifies Stripe's signatures by it.

Beyond 300 s every event is refused as too old, or as not yet made, though secret and body are right
(runbook 000, 'webhook signature'). Its `Date` header tells its time, where no proxy writes its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.app.health import asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "skew": Threshold(30, 300, "s", "S0-18: a signature is good for 300 s"),
}


@dataclass(frozen=True)
class Facts:
    """`skew_s` is the application's clock minus ours, of the address furthest off."""

    as_of: datetime
    name: str
    skew_s: float


def gather(ctx: Context) -> Facts:
    dated = [one for one in asked(ctx) if one.skew_s is not None]
    if not dated:
        raise NotConfiguredError("no address of the application tells its time (Date)")
    worst = max(dated, key=lambda one: abs(one.skew_s or 0))
    return Facts(ctx.now, worst.name, worst.skew_s or 0)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    apart = abs(round(facts.skew_s, 1))
    status = limits["skew"].judge(apart)
    if apart < 1:
        summary = f"the clock of {facts.name} is within a second of ours"
    else:
        way = "ahead of" if facts.skew_s > 0 else "behind"
        summary = f"the clock of {facts.name} is {human_duration(apart)} {way} ours"
        if status is Status.CRIT:
            summary += ": it refuses every signature of Stripe's"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={"skew": round(apart, 1)},
        actions=(
            Action("Is it this machine's that is off?", "payops health --only stripe.clock"),
            Action("Set the application's clock, and keep it set: timedatectl, chrony"),
            Action(
                "Then send what was refused again",
                "payops webhooks status",
            ),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="The application's clock is right",
    source="http",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-18",),
)
