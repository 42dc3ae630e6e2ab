"""What Stripe's status page says. Advisory: it never overrides what we saw ourselves.

Runbooks 002 (step 2) and 004 (step 1) look here first. The page lags behind an outage and knows
nothing of our own network, so the answer is shown and never counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError, SourceError

_STATUSES = {"up": Status.OK, "degraded": Status.WARN, "down": Status.CRIT}


@dataclass(frozen=True)
class Facts:
    """`indicator` is up, degraded, down or unknown; `failure` why the page could not be read."""

    as_of: datetime
    indicator: str
    message: str = ""
    failure: str = ""


def gather(ctx: Context) -> Facts:
    if ctx.settings.stripe is None or not ctx.settings.stripe.status_url:
        raise NotConfiguredError("no status page is configured (stripe.status_url)")
    url = ctx.settings.stripe.status_url
    try:
        page = ctx.sources.http.status_page(url)
    except SourceError as error:
        return Facts(ctx.now, "unknown", failure=f"{error.kind.value}: {error.message}")
    return Facts(page.as_of, page.indicator, message=page.message)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    status = _STATUSES.get(facts.indicator, Status.UNKNOWN)
    if facts.failure:
        summary = f"the status page did not answer ({facts.failure}); it says nothing of Stripe"
    elif status is Status.UNKNOWN:
        summary = "the status page answers in a form that payops does not know"
    else:
        summary = f"Stripe says: {shortened(facts.message, 200) or facts.indicator}"
    actions: tuple[Action, ...] = ()
    if status in (Status.WARN, Status.CRIT):
        actions = (
            Action("Tell users; wait for Stripe, do not retry payments by hand (runbook 004)"),
        )
    return CheckResult(status, summary, as_of=facts.as_of, actions=actions)


CHECK = Check(
    title="Stripe's status page",
    source="http",
    gather=gather,
    judge=judge,
    rows=("S2-03", "S4-18"),
    advisory=True,
)
