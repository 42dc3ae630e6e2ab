"""The first point where the sides disagree: in a sentence, with cause, confidence, next commands.

Pure. What is wrong with the pair comes from `judge`, how its event was lost from the event's way
(`Story.ways`); of one matter they make one divergence.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from payops.domain.discrepancy import MatchClass
from payops.domain.duration import utc_text
from payops.domain.evidence import Action
from payops.domain.status import Status
from payops.domain.timeline import Divergence
from payops.sources.stripe_payment import StoryEvent
from payops.trace.finding import Finding
from payops.trace.judge import findings
from payops.trace.story import Story, Unmade, Way, moment
from payops.trace.tells import tells

# A finding and the loss of an event are of one matter even where the row moved a little later.
_MARGIN = timedelta(minutes=1)
_NEVER = "event-never-generated"
# What a plan may put right, where the ledger's `fixes` allow it.
_PLANNED = frozenset({MatchClass.STATUS_MISMATCH, MatchClass.REFUND_MISSING})


@dataclass(frozen=True)
class Told:
    """The event that should have told, and how it was lost. `event` is None where Stripe never made
    one; `way` is None where nothing is known to be wrong with its way."""

    event: StoryEvent | None
    way: Way | None
    unmade: Unmade | None = None


Likely = Callable[[Mapping[str, Any], Told | None], str]
"""The likely cause of a finding in words: its facts, and the event that should have told."""


def divergences(story: Story, likely: Likely, dashboard: str) -> tuple[Divergence, ...]:
    """All of them, the first first; empty where every side that was seen agrees."""
    found: list[Divergence] = []
    explained: set[str] = set()
    for finding in findings(story):
        told = _told(story, finding)
        if told is not None and told.event is not None:
            explained.add(told.event.id)
        found.append(_of_finding(story, finding, told, likely, dashboard))
    if not found:
        # With a finding, other events that were lost are the same trouble seen again.
        found += [
            _of_event(story, event, way, dashboard)
            for event in story.events
            if (way := story.ways.get(event.id)) is not None and event.id not in explained
        ]
        found += [_of_unmade(one, dashboard) for one in story.unmade]
    return tuple(sorted(found, key=lambda one: (one.at, one.match_class, one.sentence)))


def _told(story: Story, finding: Finding) -> Told | None:
    """The event that should have told the ledger: one that was lost before one that was not."""
    wanted = tells(finding.about)
    for unmade in story.unmade:
        if unmade.type in wanted and (not finding.refund or unmade.about == finding.refund):
            return Told(None, None, unmade)
    events = [event for event in story.events if event.type in wanted]
    if finding.refund:
        own = [event for event in events if event.about == finding.refund]
        near = [
            event
            for event in events
            if abs(moment(event.created) - finding.at) <= _MARGIN and event not in own
        ]
        events = own + near
    if not events:
        return None
    lost = [event for event in events if event.id in story.ways]

    def order(event: StoryEvent) -> tuple[int, int, int, str]:
        rank = _sureness(story.ways.get(event.id))
        return (rank, wanted.index(event.type), event.created, event.id)

    event = min(lost or events, key=order)
    return Told(event, story.ways.get(event.id))


# What remains where nothing that was seen says why.
_LEFT_OVER = frozenset({"answered-not-processed", "undelivered"})


def _sureness(way: Way | None) -> int:
    """0 for a cause that was seen, 1 for one that is likely, 2 for what remains."""
    if way is None:
        return 2
    return 0 if way.certain else 2 if way.cause in _LEFT_OVER else 1


def _of_finding(
    story: Story, finding: Finding, told: Told | None, likely: Likely, dashboard: str
) -> Divergence:
    cause, sentence = "", finding.sentence
    if told is not None and told.unmade is not None:
        cause = _NEVER
        sentence += f"; Stripe made no {told.unmade.type} of it"
    elif told is not None and told.way is not None and told.event is not None:
        cause = told.way.cause
        sentence += f"; its {told.event.type} ({told.event.id}) {told.way.said}"
    for_, against = _evidence(story, finding, told)
    return Divergence(
        at=finding.at,
        sentence=sentence,
        severity=_severity(story, finding),
        match_class=finding.match_class.value,
        cause=cause,
        likely=likely(finding.facts, told) or _by_way(told),
        confidence=_confidence(story, told, for_, against),
        for_=for_,
        against=against,
        actions=_actions(story, finding, told, dashboard),
        money=finding.money,
        event=told.event.id if told and told.event else "",
        source="stripe+postgres",
    )


def _severity(story: Story, finding: Finding) -> Status:
    """Within the grace time of a reconciliation it may still come right."""
    young = story.now - finding.at <= story.grace
    return Status.WARN if young else finding.severity


def _by_way(told: Told | None) -> str:
    return told.way.said if told is not None and told.way is not None else ""


def _confidence(
    story: Story, told: Told | None, for_: tuple[str, ...], against: tuple[str, ...]
) -> str:
    """High where what was seen says it, medium where it is what remains, low where too little was
    seen."""
    blind = {one.source for one in story.unseen} & {"stripe", "postgres"}
    if told is not None and told.way is not None:
        return "high" if told.way.certain and not blind else "medium"
    if told is not None and told.unmade is not None:
        return "medium"
    if against or blind:
        return "low"
    return "medium" if for_ else "low"


def _evidence(
    story: Story, finding: Finding, told: Told | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What speaks for the cause, and what against it."""
    for_: list[str] = []
    against: list[str] = []
    row = finding.row
    if row is not None and row.updated is not None:
        if row.updated >= finding.at:
            against.append(
                f"row {row.key} changed at {utc_text(row.updated)}, after the sides parted: "
                "perhaps by hand"
            )
        else:
            for_.append(f"row {row.key} has not changed since {utc_text(row.updated)}")
    if told is None:
        if finding.about and story.stripe_seen and not story.events_from:
            against.append("its events were not read: they are older than 30 days, or too many")
    elif told.event is not None:
        for_ += _of_delivery(story, told.event)
        keys = {key.about: key for key in story.redis_keys}
        key = keys.get(told.event.id)
        if key is not None:
            had = "is there: the application has had it" if key.there else "is not there"
            for_.append(f"its key {key.key} in Redis {had}")
    elif told.unmade is not None:
        for_.append(f"all events of those seconds were read, and no {told.unmade.type} is there")
    for_ += story.probed if told is not None and told.event is not None else ()
    for breaker in story.breakers:
        if breaker.state == "open" and breaker.opened_at and breaker.opened_at <= finding.at:
            for_.append(f"the breaker {breaker.name} was open then")
    missing = sorted({one.source for one in story.unseen})
    against += [f"{source} could not be seen whole" for source in missing]
    return tuple(for_), tuple(against)


def _of_delivery(story: Story, event: StoryEvent) -> list[str]:
    found = []
    if event.pending_webhooks:
        found.append(f"{event.id} is owed to {event.pending_webhooks} endpoint(s) by Stripe")
    rows = story.logged.get(event.id, ())
    if rows:
        row = rows[0]
        when = f" at {utc_text(row.received_at)}" if row.received_at else ""
        error = f", with {row.error}" if row.error else ""
        found.append(f"the event log has it{when}: {row.status or row.processed}{error}")
    elif story.log_seen:
        found.append(f"the event log has no row of {event.id}")
    return found


def _of_event(story: Story, event: StoryEvent, way: Way, dashboard: str) -> Divergence:
    """An event that was lost, or came late or twice, and the rows agree all the same."""
    blind = {one.source for one in story.unseen} & {"stripe", "postgres"}
    return Divergence(
        at=moment(event.created),
        sentence=f"{event.type} ({event.id}) {way.said}; the ledger agrees all the same",
        severity=Status.WARN,
        cause=way.cause,
        likely=way.said,
        confidence="high" if way.certain and not blind else "medium",
        for_=(*_of_delivery(story, event), *story.probed),
        against=tuple(f"{source} could not be seen whole" for source in sorted(blind)),
        actions=(*_way_actions(event.id, way.cause), Action(f"open {dashboard}")),
        event=event.id,
        source="stripe+postgres",
    )


def _of_unmade(one: Unmade, dashboard: str) -> Divergence:
    return Divergence(
        at=one.at,
        sentence=f"{one.about} changed at {one.at:%Y-%m-%d %H:%M:%S}, and Stripe made no "
        f"{one.type} of it; the ledger agrees all the same",
        severity=Status.WARN,
        cause=_NEVER,
        likely="Stripe says itself that an event may never be generated",
        confidence="medium",
        for_=("all events of those seconds were read",),
        actions=(Action(f"open {dashboard}"),),
        source="stripe",
    )


# ── what to do next ──────────────────────────────────────────────────────────────────────────────


def _actions(
    story: Story, finding: Finding, told: Told | None, dashboard: str
) -> tuple[Action, ...]:
    found: list[Action] = []
    if told is not None and told.event is not None and told.way is not None:
        found += _way_actions(told.event.id, told.way.cause)
    plan = " --save-plan plan.json" if finding.match_class in _PLANNED else ""
    text = "plan what puts it right" if plan else "see it beside its neighbours"
    found.append(
        Action(
            f"{text}, of its window",
            f"payops reconcile {window_of(story, finding.at)} --only {finding.match_class.value}"
            + plan,
        )
    )
    found.append(Action(f"open {dashboard}"))
    return tuple(found)


# Sent again before this is mended, an event is refused again.
_FIRST = {
    **{
        cause: Action("see what is wrong with the endpoint", "payops webhooks status")
        for cause in (
            "endpoint-unreachable",
            "endpoint-redirects",
            "endpoint-forbids",
            "endpoint-fails",
            "signature-refused",
            "undelivered",
        )
    },
    **{
        cause: Action("see how the endpoint is registered", "payops webhooks endpoints")
        for cause in ("endpoint-disabled", "type-not-subscribed")
    },
}


def _way_actions(event: str, cause: str) -> Iterable[Action]:
    if cause in ("processed-late", "processed-twice"):
        return (Action("see the way of all events", "payops webhooks status"),)
    first = _FIRST.get(cause)
    return (
        *((first,) if first else ()),
        Action(
            "send its event again, once the endpoint is well",
            f"payops webhooks replay --event {shlex.quote(event)}",
        ),
    )


def window_of(story: Story, at: datetime) -> str:
    """`--since` and `--until` of a reconciliation that has this payment in it."""
    intent, row = story.intent, story.row
    made = [moment(intent.created)] if intent else []
    made += [row.created] if row and row.created else []
    first = min(made, default=at) - _MARGIN
    last = max(made, default=at) + _MARGIN
    return f"--since {utc_text(first)} --until {utc_text(min(last, story.now))}"
