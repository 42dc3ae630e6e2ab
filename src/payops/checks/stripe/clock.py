"""Is this machine's clock Stripe's?

Beyond 300 s every webhook signature is refused as old, and times that are compared with Stripe's
are wrong (runbook 000, 'webhook signature': `date`, `ntpstat`). `app.clock` asks the same of the
application, which is where signatures are verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    # A tenth of the tolerance is no clock that anybody keeps.
    "skew": Threshold(30, 300, "s", "S0-18: a signature is good for 300 s"),
}


@dataclass(frozen=True)
class Facts:
    """`skew_s` is our clock minus Stripe's: positive is ahead. Stripe's has whole seconds."""

    as_of: datetime
    skew_s: float


def gather(ctx: Context) -> Facts:
    for answer in stripe_asked.cheap(ctx):
        if answer.date is not None and answer.received is not None:
            # On the average half a second is cut off of `Date`, and half of the way is behind us.
            taken = answer.latency_ms / 2000
            skew = (answer.received - answer.date).total_seconds() - 0.5 - taken
            return Facts(answer.received, skew)
    raise NotConfiguredError("Stripe's answers had no Date: something before it takes it away")


def judge(facts: Facts, limits: Limits) -> CheckResult:
    apart = abs(facts.skew_s)
    status = limits["skew"].judge(apart)
    if apart < 1:
        summary = "within a second of Stripe's"
    else:
        way = "ahead of" if facts.skew_s > 0 else "behind"
        summary = f"{human_duration(apart)} {way} Stripe's"
        if status is not Status.OK:
            summary += "; a signature is refused at 5 min"
    return CheckResult(
        status,
        f"this machine's clock is {summary}",
        as_of=facts.as_of,
        measured={"skew": round(apart, 1)},
        actions=(
            Action("Set the clock, and keep it set", "timedatectl status"),
            Action("See whether the application's is off as well", "payops health --only app"),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="This machine's clock is Stripe's",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-18",),
)
