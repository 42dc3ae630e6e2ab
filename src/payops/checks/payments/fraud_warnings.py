"""Issuers report charges as fraud: each will be a dispute, unless it is refunded first.

Stripe's early fraud warnings come days before the dispute. While one is `actionable`, a full refund
forestalls it, and its fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.stripe_payment import id_of

LIMITS = {
    "count": Threshold(0, 10, "count", "payops: S1-22 gives none; each is a refund to decide on"),
}
BACK = timedelta(days=7)
SAMPLE = 10


@dataclass(frozen=True)
class Warned:
    """One warning: the charge that it is about, and the issuer's word for the fraud."""

    id: str
    charge: str
    kind: str
    created: datetime


@dataclass(frozen=True)
class Facts:
    """Warnings of the last week that can still be acted on; `all` counts the others, too."""

    as_of: datetime
    warnings: tuple[Warned, ...]
    all: int
    complete: bool = True


def gather(ctx: Context) -> Facts:
    answer = stripe_asked.permitted(
        lambda: stripe_asked.fraud_warnings(ctx, BACK), "Early fraud warnings"
    )
    found = answer.value.data
    return Facts(
        as_of=stripe_asked.as_of(answer, ctx),
        warnings=tuple(
            Warned(one.id, id_of(one.charge), one.fraud_type, stripe_asked.moment(one.created))
            for one in found
            if one.actionable
        ),
        all=len(found),
        complete=not answer.value.has_more,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count = len(facts.warnings)
    status = limits["count"].judge(count)
    noun = "warning" if count == 1 else "warnings"
    plus = "" if facts.complete else " or more"
    if count:
        summary = (
            f"{count}{plus} early fraud {noun} of {BACK.days} d can still be acted on: refund "
            "before they become disputes"
        )
    else:
        others = f"; {facts.all} are past it" if facts.all else ""
        summary = f"no early fraud warning of {BACK.days} d can be acted on{others}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=min((one.created for one in facts.warnings), default=None)
        if status is not Status.OK
        else None,
        measured={"count": count, "all": facts.all},
        evidence=tuple(
            Evidence(
                f"{one.charge or one.id} {shortened(one.kind, 40)}".rstrip(),
                "stripe",
                facts.as_of,
                {"id": one.id, "charge": one.charge, "created": utc_text(one.created)},
            )
            for one in facts.warnings[:SAMPLE]
        ),
        actions=(
            Action(
                "Decide on each in the Dashboard (Radar, Early fraud warnings): refund it in full "
                "where the goods are not gone; stop the delivery",
            ),
            Action(
                "See whether more is unusual",
                "payops health --only 'payments.velocity,payments.high-value,payments.disputes'",
            ),
        )
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="No early fraud warning waits",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-22",),
)
