"""Does payops read Stripe in the version in which the account's events are made?

An event is rendered in the account's version when it is made (or in its endpoint's). Runbook 002
pins Stripe-Version 2023-10-16 in its probe: read in one version and told in another, a field may be
missing from one side, and a comparison finds what is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError


@dataclass(frozen=True)
class Facts:
    """`pinned` is stripe.api_version, `events` the version of the newest event; empty: none."""

    as_of: datetime
    pinned: str
    events: str = ""


def gather(ctx: Context) -> Facts:
    configured = ctx.settings.stripe
    if configured is None:
        raise NotConfiguredError("stripe is not configured")
    if not configured.api_version:
        return Facts(ctx.now, "")  # nothing to compare: a request is saved
    answer = stripe_asked.permitted(lambda: stripe_asked.newest_event(ctx), "Events")
    newest = answer.value.data[0].api_version if answer.value.data else None
    return Facts(stripe_asked.as_of(answer, ctx), configured.api_version, newest or "")


def judge(facts: Facts, limits: Limits) -> CheckResult:
    del limits
    pinned, events = shortened(facts.pinned, 40), shortened(facts.events, 40)
    if not facts.pinned:
        return CheckResult(
            Status.OK,
            "none is pinned (stripe.api_version): Stripe answers in the account's own",
            as_of=facts.as_of,
        )
    if not facts.events:
        return CheckResult(
            Status.OK, f"{pinned} is pinned; no event yet to hold it against", as_of=facts.as_of
        )
    if facts.pinned == facts.events:
        return CheckResult(Status.OK, f"{pinned}, as the account's events", as_of=facts.as_of)
    return CheckResult(
        Status.WARN,
        f"{pinned} is pinned, and the account's events are made in {events}",
        as_of=facts.as_of,
        measured={"pinned": facts.pinned, "events": facts.events},
        actions=(
            Action(
                "Leave stripe.api_version out, or set it to the account's (Dashboard, Developers, "
                "Overview); then see that the application pins the same",
                "payops config show",
            ),
        ),
    )


CHECK = Check(
    title="Stripe is read in the account's API version",
    source="stripe",
    gather=gather,
    judge=judge,
    rows=("S0-17",),
)
