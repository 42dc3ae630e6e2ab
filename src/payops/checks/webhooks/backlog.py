"""Events that Stripe could not deliver to us.

Runbook 001 alerts at more than 10 failed webhooks in an hour, runbook 002 at more than 3 in a row.
Until they arrive, a paid order looks unpaid. Stripe retries for up to 3 days (STRIPE.md), and owes
an event until then even if it was sent again by hand: what the event log, the keys in Redis, the
ledger or the journal show as had since is told, and not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.domain.webhook import Had, PathEvent
from payops.sources.stripe_objects import Event

LIMITS = {
    "count": Threshold(
        3, 10, "count", "S2-04: more than 3 is an alert; S1-04: more than 10 failed in an hour"
    ),
}
# Stripe keeps trying for up to 3 days in live mode (docs, 'Webhooks', retry behaviour).
LOOKBACK = timedelta(days=3)
# An event this young may be on its way: Stripe's first attempt has not come back yet.
ON_ITS_WAY = timedelta(seconds=60)
# Only the Dashboard shows what an endpoint answered; the API and its events do not.
_DASHBOARD = Action(
    "See what your endpoint answered then: Stripe's Dashboard, Developers, Webhooks"
)
_THEY_COME_AGAIN = Action(
    "Nothing: Stripe sends them again by itself, and the application takes them as duplicates"
)
AT_MOST = 300  # three pages: enough to call it an incident, cheap enough for one


@dataclass(frozen=True)
class Undelivered:
    """One event that no endpoint has accepted, or not all of them."""

    id: str
    type: str
    created: datetime
    payment_intent: str
    amount: Money | None


@dataclass(frozen=True)
class Facts:
    """Undelivered events, newest first; `complete` is False when there are more than were read.

    `had_since` more are owed by Stripe alone: they were handled here since. `had_at_once` of the
    `events` were handled here when they were made.
    """

    as_of: datetime
    events: tuple[Undelivered, ...]
    complete: bool
    had_since: int = 0
    had_at_once: int = 0


def gather(ctx: Context) -> Facts:
    listing = ctx.sources.stripe.undelivered_events(ctx.now - LOOKBACK, AT_MOST)
    settled = int((listing.as_of - ON_ITS_WAY).timestamp())
    owed = [event for event in listing.items if event.created <= settled]
    had = ctx.had([_on_its_path(event) for event in owed], listing.as_of) if owed else Had()
    return Facts(
        as_of=listing.as_of,
        events=tuple(_undelivered(event) for event in owed if event.id not in had.since),
        complete=listing.complete,
        had_since=sum(event.id in had.since for event in owed),
        had_at_once=sum(event.id in had.at_once for event in owed),
    )


def _undelivered(event: Event) -> Undelivered:
    return Undelivered(
        id=event.id,
        type=event.type,
        created=datetime.fromtimestamp(event.created, UTC),
        payment_intent=event.payment_intent,
        amount=_amount(event),
    )


def _on_its_path(event: Event) -> PathEvent:
    return PathEvent(
        id=event.id,
        type=event.type,
        created=datetime.fromtimestamp(event.created, UTC),
        livemode=event.livemode,
        pending_webhooks=event.pending_webhooks,
        object_id=event.object_id,
        object_status=event.object_status,
        refunded=event.refunded,
        payment_intent=event.payment_intent,
        amount=_amount(event),
    )


def _amount(event: Event) -> Money | None:
    if event.amount is None or not event.currency:
        return None
    return Money(event.currency, event.amount)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    count = len(facts.events)
    if not count and not facts.complete and not facts.had_since:
        # Stripe tells the newest first: a busy account's last minute alone may fill what was read.
        return CheckResult(
            Status.UNKNOWN,
            f"{AT_MOST} or more events of the last minute are on their way; older ones were not "
            "reached, so a backlog cannot be told",
            as_of=facts.as_of,
            measured={"count": None},
            actions=(_DASHBOARD,),
        )
    if not count:
        return _nothing_lost(facts)
    oldest = min(event.created for event in facts.events)
    kinds = len({event.type for event in facts.events})
    more, least = ("", "") if facts.complete else (" or more", "at least ")
    paid = _paid(facts.events)
    payments = sum(money.count for money in paid)
    summary = (
        f"{count:,}{more} {'event' if count == 1 else 'events'} of {kinds} "
        f"{'type' if kinds == 1 else 'types'} not delivered, the oldest {least}"
        f"{human_duration((facts.as_of - oldest).total_seconds())} old"
    )
    if payments:
        summary += (
            f"; they tell of {least}{payments:,} paid {'order' if payments == 1 else 'orders'}"
        )
    summary += _had(facts)
    return CheckResult(
        limits["count"].judge(count),
        summary,
        as_of=facts.as_of,
        since=oldest,
        measured={
            "count": count,
            "had_since": facts.had_since,
            "had_at_once": facts.had_at_once,
        },
        evidence=tuple(
            Evidence(
                f"{event.type} {event.id}",
                "stripe",
                facts.as_of,
                {"created": utc_text(event.created), "payment_intent": event.payment_intent},
            )
            for event in sorted(facts.events, key=lambda event: event.created)[:10]
        ),
        actions=(
            Action("See whether the endpoint's application answers", "payops health --only app"),
            Action(
                "See where each was lost, why, and what the endpoint answers now",
                f"payops webhooks status --since {utc_text(oldest - timedelta(hours=1))}",
            ),
            Action(
                "See whose payment is not recorded meanwhile",
                f"payops reconcile --since {utc_text(oldest - timedelta(hours=1))}",
            ),
            _DASHBOARD,
        ),
        money_at_risk=paid,
    )


def _nothing_lost(facts: Facts) -> CheckResult:
    if not facts.had_since:
        return CheckResult(
            Status.OK, "no undelivered events", as_of=facts.as_of, measured={"count": 0}
        )
    # Where more are owed than were read, the older ones were not looked at.
    status = Status.OK if facts.complete else Status.UNKNOWN
    unread = "" if facts.complete else f"; only the newest {AT_MOST} were read"
    return CheckResult(
        status,
        f"no undelivered event that was not had{_had(facts)}{unread}",
        as_of=facts.as_of,
        measured={"count": 0, "had_since": facts.had_since, "had_at_once": 0},
        actions=(_THEY_COME_AGAIN,),
    )


def _had(facts: Facts) -> str:
    told = ""
    if facts.had_at_once:
        told += (
            f"; {facts.had_at_once:,} of them {_were(facts.had_at_once)} handled here when "
            "made: another endpoint lacks them, or the answer came too late"
        )
    if facts.had_since:
        told += (
            f"; {facts.had_since:,} that Stripe still owes {_were(facts.had_since)} handled here "
            "already"
        )
    return told


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _paid(events: tuple[Undelivered, ...]) -> tuple[MoneyAtRisk, ...]:
    """The payments whose success is not known yet, each once however many events tell of it."""
    amounts = {
        event.payment_intent or event.id: event.amount
        for event in events
        if event.type == "payment_intent.succeeded" and event.amount is not None
    }
    return total_at_risk(amounts.values())


CHECK = Check(
    title="Stripe's events reach us",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-33", "S1-04", "S2-04", "S4-41"),
)
