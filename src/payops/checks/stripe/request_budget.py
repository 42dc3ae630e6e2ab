"""Is there room under Stripe's request limit, for payments and for payops beside them?

Stripe allows 100 requests/s live and 25/s in a sandbox (runbook 002). A 429 answered to payops says
that the account is at its limit now: the application's payments are being refused as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import Failure, NotConfiguredError, SourceError

LIMITS = {
    "limited": Threshold(0, 3, "count", "S0-06: too many requests, escalate if frequent"),
    # STRIPE.md: a diagnosis tool must never starve live payments.
    "share": Threshold(50, 100, "%", "S2-33: 100 requests/s, 25 in test; half is the payments'"),
}
LIVE, TEST = 100, 25  # requests/s of an account: Stripe's documentation, 'Rate limits'


@dataclass(frozen=True)
class Facts:
    """payops' own ceiling and Stripe's, in requests/s; `limited` requests of this run, of `calls`,
    were answered 429."""

    as_of: datetime
    per_second: float
    allowed: int
    calls: int
    limited: int


def gather(ctx: Context) -> Facts:
    configured = ctx.settings.stripe
    if configured is None:
        raise NotConfiguredError("stripe is not configured")
    stripe = ctx.sources.stripe
    try:
        stripe_asked.cheap(ctx)
    except SourceError as error:
        # Every try was answered 429: that is the finding, not a failure.
        if error.kind is not Failure.RATE_LIMITED or not stripe.limited:
            raise
    return Facts(
        as_of=ctx.now,
        per_second=configured.max_requests_per_second,
        allowed=TEST if "_test_" in configured.secret_key.reveal()[:8] else LIVE,
        calls=stripe.calls,
        limited=stripe.limited,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    share = 100 * facts.per_second / facts.allowed
    of_limited, of_share = limits["limited"].judge(facts.limited), limits["share"].judge(share)
    status = max((of_limited, of_share), key=lambda one: one.rank)
    told = []
    if facts.limited:
        told.append(
            f"Stripe answered {facts.limited} of {facts.calls} requests with 429: the account is "
            "at its limit, and payments may be refused too"
        )
    if of_share is not Status.OK:
        told.append(f"payops itself may take {share:.0f} % of the {facts.allowed} requests/s")
    actions = []
    if of_limited is not Status.OK:
        actions.append(
            Action(
                "Look in the Dashboard (Developers, Logs, status 429) for who sends them: a loop, "
                "a batch, a retry without backoff; wait and back off (runbook 000)"
            )
        )
    if of_share is not Status.OK:
        actions.append(
            Action("Lower stripe.max_requests_per_second: the rest is the payments'", _SHOW)
        )
    return CheckResult(
        status,
        "; ".join(told)
        or f"no request was refused; payops may take {facts.per_second:g} of the "
        f"{facts.allowed} requests/s",
        as_of=facts.as_of,
        measured={"limited": facts.limited, "share": round(share, 1), "calls": facts.calls},
        actions=tuple(actions),
    )


_SHOW = "payops config show"
CHECK = Check(
    title="There is room under Stripe's request limit",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-06", "S2-33"),
)
