"""Payments that wait for the customer's bank (3-D Secure) for longer than anybody takes.

One of them is a customer who went away, and no incident (runbook 002); many at once are a page that
does not open, or a bank's server that is down. Runbook 000 allows 5 to 10 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.checks.ledger import database_window
from payops.domain.duration import human_duration, human_span, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.payment import PaymentStatus
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError, PayopsError, SourceError
from payops.sources.stripe_standing import RecentIntent

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.ledger import OpenPayments

LIMITS = {
    "age": Threshold(600, None, "s", "S0-07: allow 5-10 min"),
    "count": Threshold(2, 10, "count", "S2-09: 1-2 are singular, more than 10 system-wide"),
}
SAMPLE = 10
_WAITING = frozenset({PaymentStatus.REQUIRES_ACTION})


@dataclass(frozen=True)
class Waiting:
    """One payment: our key or the PaymentIntent, and since when it waits."""

    id: str
    since: datetime


@dataclass(frozen=True)
class Facts:
    """Payments of the window that wait for longer than the limit.

    `ledger` and `stripe` are their numbers on each side, None where that side was not asked, or
    cannot tell; `not_asked` says why. `rows` are the oldest.
    """

    as_of: datetime
    window_s: float
    ledger: int | None
    stripe: int | None
    money: tuple[MoneyAtRisk, ...]
    rows: tuple[Waiting, ...]
    not_asked: str = ""

    @property
    def count(self) -> int:
        """The same payment stands on both sides: the larger number."""
        return max(self.ledger or 0, self.stripe or 0)


def gather(ctx: Context) -> Facts:
    age = ctx.limits["age"]
    after = timedelta(seconds=age.warn if age.warn is not None else age.crit or 0)
    if age.warn is None and age.crit is None:
        raise NotConfiguredError("both limits on the age are switched off: nobody waits too long")
    mapped = ctx.settings.payments
    in_ledger = mapped is not None and bool(mapped.statuses.get("requires_action"))
    # The ledger first: a Stripe that hangs would leave no time for it.
    found = _in_ledger(ctx, mapped, after) if in_ledger and mapped is not None else None
    waiting: list[RecentIntent] | None = None
    as_of, not_asked = ctx.now, ""
    try:
        answer = stripe_asked.permitted(lambda: stripe_asked.intents(ctx), "PaymentIntents")
        as_of = stripe_asked.as_of(answer, ctx)
        waiting = [
            one
            for one in answer.value.data
            if one.status == "requires_action" and stripe_asked.moment(one.created) <= as_of - after
        ]
    except PayopsError as error:
        if not in_ledger:
            raise
        not_asked = error.kind.value if isinstance(error, SourceError) else error.message
    rows = [Waiting(one.id, stripe_asked.moment(one.created)) for one in waiting or ()]
    money = total_at_risk(Money(one.currency, one.amount) for one in waiting or ())
    if found is not None:
        as_of = found.as_of
        if found.count >= len(rows):
            rows = [Waiting(one.id, one.created_at) for one in found.sample]
            money = found.money
    return Facts(
        as_of=as_of,
        window_s=ctx.window.length.total_seconds(),
        ledger=found.count if found is not None else None,
        stripe=len(waiting) if waiting is not None else None,
        money=money,
        rows=tuple(sorted(rows, key=lambda one: one.since)[:SAMPLE]),
        not_asked=not_asked,
    )


def _in_ledger(ctx: Context, mapped: Ledger, after: timedelta) -> OpenPayments | None:
    """None where the window is shorter than what a customer may take."""
    window = database_window(ctx)
    until = window.until - after
    if until <= window.since:
        return None
    return ctx.sources.postgres.ledger(mapped).open_payments(
        older_than=until, newer_than=window.since, statuses=_WAITING, sample=SAMPLE
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    status, span = limits["count"].judge(facts.count), human_span(facts.window_s)
    oldest_s = max(((facts.as_of - one.since).total_seconds() for one in facts.rows), default=0.0)
    if limits["age"].judge(oldest_s) is Status.CRIT:
        status = Status.CRIT
    noun = "payment" if facts.count == 1 else "payments"
    verb = "waits" if facts.count == 1 else "wait"
    if facts.count:
        summary = (
            f"{facts.count:,} {noun} of {span} {verb} for the customer's bank (3-D Secure), the "
            f"oldest for {human_duration(oldest_s)}"
        )
        if status is Status.OK:
            summary += "; customers who went away"
        if facts.ledger is not None and facts.stripe is not None and facts.ledger != facts.stripe:
            summary += f" (ledger {facts.ledger:,}, Stripe's newest {facts.stripe:,})"
    else:
        summary = f"no payment of {span} waits too long for the customer's bank"
    if facts.not_asked:
        summary += f"; Stripe was not heard ({facts.not_asked})"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        since=min((one.since for one in facts.rows), default=None)
        if status is not Status.OK
        else None,
        measured={"count": facts.count, "age": round(oldest_s)},
        evidence=tuple(
            Evidence(
                f"{one.id} waits since {utc_text(one.since)}",
                "stripe" if one.id.startswith("pi_") else "postgres",
                facts.as_of,
                {"id": one.id},
            )
            for one in facts.rows
        ),
        actions=(
            Action(
                "Pay with Stripe's test card for 3-D Secure, in the application: does the bank's "
                "page open? A content policy or a blocked frame is the usual cause",
            ),
            Action(
                "See what became of the oldest one",
                f"payops trace {facts.rows[0].id}" if _safe(facts) else "",
            ),
            Action("Guide the customers through it, or cancel what they gave up (runbook 000)"),
        )
        if status is not Status.OK
        else (),
        money_at_risk=facts.money if facts.count else (),
    )


def _safe(facts: Facts) -> bool:
    """Whether the oldest one's key can be typed as it is."""
    return bool(facts.rows) and facts.rows[0].id.replace("_", "").replace("-", "").isalnum()


CHECK = Check(
    title="3-D Secure does not hold payments up",
    source="postgres+stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-07",),
)
