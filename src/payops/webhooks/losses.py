"""Losses by cause: how many events of how many payments, since when, how sure, what to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Evidence
from payops.domain.money import Money, MoneyAtRisk, exponent, total_at_risk
from payops.domain.secret import excerpt
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits
from payops.domain.webhook import Cause, Loss, Moved, PathEvent
from payops.webhooks.advice import actions_for, meaning
from payops.webhooks.classify import Ground, Place, Verdict
from payops.webhooks.path import Part
from payops.webhooks.told import money_key, money_told

# Of each cause so many events are named; the lists (`undelivered`, `stuck`) have them all.
_NAMED = 20
_SHOWN = 5
# The ledger has them, so no money depends on it.
_HARMLESS = frozenset({Cause.LATE})


def losses(
    verdicts: Iterable[Verdict], ground: Ground, limits: Mapping[Cause, Limits]
) -> tuple[Loss, ...]:
    """One loss a cause, that with most money first.

    Money is counted once, under the cause of the oldest event that tells of it. Amounts of
    different currencies cannot be added: they are compared by their bare numbers, for the order
    alone.
    """
    lost: dict[Cause, list[Verdict]] = defaultdict(list)
    at_risk: list[PathEvent] = []
    first: dict[str, Cause] = {}
    for verdict in verdicts:
        if verdict.place is not Place.LOST or verdict.cause is None:
            continue
        lost[verdict.cause].append(verdict)
        if _at_risk(verdict, ground) and (key := money_key(verdict.event)) is not None:
            at_risk.append(verdict.event)
            first.setdefault(key, verdict.cause)
    amounts: dict[Cause, list[Money]] = defaultdict(list)
    for key, amount in money_told(at_risk).items():
        amounts[first[key]].append(amount)
    found = [
        _loss(cause, its, total_at_risk(amounts[cause]), ground, limits[cause])
        for cause, its in lost.items()
    ]
    return tuple(sorted(found, key=_weight))


def _at_risk(verdict: Verdict, ground: Ground) -> bool:
    """Whether the ledger is wrong by this event, or may be: it could not be asked."""
    if verdict.cause in _HARMLESS:
        return False
    if verdict.cause is Cause.TWICE:
        return True
    moved = verdict.event.moved
    if moved is Moved.NOT_TOLD:
        return not ground.path.knows(Part.LEDGER)
    return moved in {Moved.NO, Moved.NO_ROW}


def _loss(
    cause: Cause,
    verdicts: Sequence[Verdict],
    money: tuple[MoneyAtRisk, ...],
    ground: Ground,
    limits: Limits,
) -> Loss:
    events = [verdict.event for verdict in verdicts]
    details = Counter(verdict.detail for verdict in verdicts if verdict.detail)
    detail = ", ".join(
        name if len(details) == 1 else f"{name} ({count:,})"
        for name, count in details.most_common(4)
    )
    certain = all(verdict.certain for verdict in verdicts)
    payments = sum(each.count for each in money)
    oldest, newest = events[0].created, events[-1].created
    age = human_duration((ground.path.as_of - oldest).total_seconds())
    least = "" if ground.path.events_complete else "at least "
    noun = "event" if len(events) == 1 else "events"
    if cause is Cause.NEVER_GENERATED:
        noun = "object" if len(events) == 1 else "objects"
    count = f"{least}{len(events):,} {noun}{_of_needs(events, ground)}"
    summary = f"{count} {meaning(cause, detail, certain=certain)}; the oldest {age} old"
    if payments:
        summary += (
            f"; {least}{payments:,} payment{'s' if payments > 1 else ''} {_owed(cause, ground)}"
        )
    return Loss(
        cause=cause,
        status=_status(len(events), payments, limits),
        summary=summary,
        count=len(events),
        detail=detail,
        certain=certain,
        since=oldest,
        newest=newest,
        money=money,
        events=tuple(event.id for event in events[:_NAMED]),
        evidence=_evidence(cause, events, ground),
        actions=actions_for(cause, events, ground, detail, certain=certain),
    )


def _of_needs(events: Sequence[PathEvent], ground: Ground) -> str:
    """How many of them the rates are of: what is owed is read whatever its type."""
    types = frozenset(ground.path.types)
    needed = sum(event.type in types for event in events)
    if not types or needed == len(events):
        return ""
    return f" ({needed:,} of types in webhooks.needs)"


def _owed(cause: Cause, ground: Ground) -> str:
    """What is wrong about the payments that money is counted of."""
    if cause is Cause.TWICE:
        return "may be counted twice"
    return (
        "not as the ledger has it" if ground.path.knows(Part.LEDGER) else "that the ledger may lack"
    )


def _status(count: int, payments: int, limits: Limits) -> Status:
    measured = {"count": count, "payments": payments}
    return worst(limits[name].judge(value) for name, value in measured.items() if name in limits)


def _evidence(cause: Cause, events: Sequence[PathEvent], ground: Ground) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    of_endpoint = {
        Cause.UNREACHABLE,
        Cause.REDIRECTS,
        Cause.FORBIDS,
        Cause.FAILS,
        Cause.SIGNATURE,
        Cause.UNDELIVERED,
    }
    if cause in of_endpoint:
        found += [Evidence(each.seen, "http", each.as_of) for each in ground.asked.values()]
    for event in events[:_SHOWN]:
        detail = {
            "created": utc_text(event.created),
            "payment_intent": event.payment_intent,
            "ledger": event.local_id,
            "ledger_state": event.local_state,
            "log": event.logged,
            "received": utc_text(event.received_at) if event.received_at else "",
            "processed": utc_text(event.processed_at) if event.processed_at else "",
            "attempts": event.attempts if event.attempts is not None else "",
            "error": excerpt(event.error, 120),
        }
        kept = {name: value for name, value in detail.items() if value != ""}
        found.append(Evidence(f"{event.type} {event.id}", "stripe", ground.path.as_of, kept))
    return tuple(found)


def _weight(loss: Loss) -> tuple[Decimal, int, str]:
    major = (Decimal(each.minor).scaleb(-exponent(each.currency)) for each in loss.money)
    return -sum(major, Decimal(0)), -loss.count, loss.cause.value
