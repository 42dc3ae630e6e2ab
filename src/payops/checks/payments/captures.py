"""Authorized payments that nobody has captured, and whose authorization runs out.

Stripe holds the money of an online card payment for 7 days; then it is gone, though the customer
was told that the payment went through. Only a shop that captures by hand has any.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.sources.stripe_standing import CaptureEvent

LIMITS = {
    "left": Threshold(
        2 * 86400, 86400, "s", "payops: a weekend, a day, to capture what is held", worse="lower"
    ),
    "expired": Threshold(0, None, "count", "payops: lost in the last day, never captured"),
}
SAMPLE = 10
LATELY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """One authorization; `until` is when it runs out at the latest."""

    payment_intent: str
    money: Money | None
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Facts:
    """What is held and not captured, soonest to run out first; `expired` ran out in the last day.
    `complete` is False when there was more than one page of events: then older ones may be missing.
    """

    as_of: datetime
    held: tuple[Held, ...]
    expired: tuple[Held, ...]
    complete: bool = True


def gather(ctx: Context) -> Facts:
    answer = stripe_asked.permitted(lambda: stripe_asked.captures(ctx), "Events")
    as_of, events = stripe_asked.as_of(answer, ctx), answer.value.data
    ended = {
        one.payment_intent
        for one in events
        if one.type != "payment_intent.amount_capturable_updated"
    }
    held = {
        one.payment_intent: _held(one)
        for one in events
        if one.type == "payment_intent.amount_capturable_updated"
        and one.payment_intent not in ended
    }
    expired = [
        _held(one)
        for one in events
        if one.type == "charge.expired" and stripe_asked.moment(one.created) >= as_of - LATELY
    ]
    return Facts(
        as_of=as_of,
        held=tuple(sorted(held.values(), key=lambda one: one.until)),
        expired=tuple(expired),
        complete=not answer.value.has_more,
    )


def _held(event: CaptureEvent) -> Held:
    since = stripe_asked.moment(event.created)
    money = Money(event.currency, event.amount) if event.currency and event.amount else None
    return Held(event.payment_intent, money, since, since + stripe_asked.AUTHORIZED)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    soonest = facts.held[0] if facts.held else None
    left = (soonest.until - facts.as_of).total_seconds() if soonest else None
    of_left = limits["left"].judge(left) if left is not None else Status.OK
    of_expired = limits["expired"].judge(len(facts.expired))
    status = max((of_left, of_expired), key=lambda one: one.rank)
    told = []
    if facts.expired:
        told.append(f"{_counted(facts.expired)} ran out in the last day, never captured")
    if left is not None:
        told.append(
            f"{_counted(facts.held)} held and not captured, the next runs out in "
            f"{human_duration(max(left, 0))}"
        )
    if not told:
        told.append("nothing is held that has to be captured")
    if not facts.complete:
        told.append("older ones may be missing: more events than one page")
    troubled = [
        one
        for one in facts.held
        if limits["left"].judge((one.until - facts.as_of).total_seconds()) is not Status.OK
    ]
    return CheckResult(
        status,
        "; ".join(told),
        as_of=facts.as_of,
        measured={
            "left": None if left is None else round(max(left, 0)),
            "expired": len(facts.expired),
            "held": len(facts.held),
        },
        evidence=tuple(
            Evidence(
                f"{one.payment_intent} {one.money or ''} until {utc_text(one.until)}",
                "stripe",
                facts.as_of,
                {"payment_intent": one.payment_intent, "until": utc_text(one.until)},
            )
            for one in [*facts.expired, *troubled][:SAMPLE]
        ),
        actions=(
            Action(
                "Capture what was delivered, cancel the rest: Dashboard, Payments, 'Uncaptured'. "
                "Then look why the job that captures did not run",
            ),
        )
        if status is not Status.OK
        else (),
        money_at_risk=_money([*facts.expired, *troubled]),
    )


def _counted(held: tuple[Held, ...]) -> str:
    return f"{len(held):,} authorization{'' if len(held) == 1 else 's'}"


def _money(held: list[Held]) -> tuple[MoneyAtRisk, ...]:
    return total_at_risk(one.money for one in held if one.money is not None)


CHECK = Check(
    title="No authorization runs out uncaptured",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-12",),
)
