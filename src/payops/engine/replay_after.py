"""After a replay: what the ledger shows of the events that were sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.duration import utc_text
from payops.domain.plan import Change, Plan
from payops.domain.plan_outcome import Applied, Outcome, Reread, Result
from payops.domain.webhook import Moved, PathEvent
from payops.engine.replay_event import EventGoneError, fetched
from payops.errors import FailedError, RefusedError, SourceError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.engine.journal import Journal
    from payops.sources import Sources

# A handler may answer first and work then; what takes longer is told as not moved yet.
PATIENCE_S = 5.0
_TELLING = 20  # some seconds of silence at Stripe's pace
_LOOK_EVERY_S = 0.5
_EARLIER = timedelta(hours=1)  # a payment is made before the event of its end
_LACKING = frozenset({Moved.NO, Moved.NO_ROW})


def reread(
    settings: Settings,
    sources: Sources,
    journal: Journal,
    plan: Plan,
    applied: Applied,
    sent: Mapping[str, PathEvent],
    *,
    patience_s: float = PATIENCE_S,
    say: Callable[[str], None] = lambda line: None,
) -> Applied:
    """The outcome with what the ledger shows now of every event that reached the handler, also by
    an earlier run of the plan; the journal has it too. What it showed then is not asked again.

    `sent` are events that are known already, by change. A source that does not answer is told in
    `stopped`: what was sent, was sent.
    """
    changes = [change for change, outcome in applied.outcomes if _was_sent(outcome)]
    if not changes:
        return applied
    told = _shown_before(journal, plan, changes)
    shown_before = {each.change for each in told}
    changes = [change for change in changes if change.id not in shown_before]
    if not changes:
        return replace(applied, reread=tuple(told))
    try:
        unknown = sum(change.id not in sent for change in changes)
        if unknown > _TELLING:
            say(f"payops: {unknown:,} that an earlier run sent are asked of Stripe once more")
        events = _events(sources, changes, sent)
        moved = _moved(settings, sources, list(events.values()), patience_s)
        words = _logged(settings, sources, list(events.values()))
        lacking = [
            event for event in events.values() if _lacks(moved[event.id][0], words[event.id])
        ]
    except SourceError as error:
        why = f"the ledger could not be read again: {error}"
        return replace(applied, stopped="; ".join(filter(None, (applied.stopped, why))))
    since = min((event.created for event in lacking), default=plan.created_at) - _EARLIER
    for change in changes:
        if change.id in events:
            id_ = events[change.id].id
            shows, local_id = moved[id_]
            lacks = _lacks(shows, words[id_])
            advice = _advice(change, shows, words[id_], since) if lacks else ""
            told.append(Reread(change.id, id_, shows.value, local_id, advice))
    without = sum(bool(each.advice) for each in told)
    body = {
        "plan": plan.digest,
        "what": f"{len(told) - without} in the ledger or not told by it, {without} not",
        "events": [
            {"change": each.change, "moved": each.moved, "row": each.local_id} for each in told
        ],
    }
    try:
        head = journal.append("reread", body)["hash"]
    except (FailedError, RefusedError) as error:
        return replace(applied, reread=tuple(told), stopped=applied.stopped or str(error))
    return replace(applied, reread=tuple(told), head=head)


def _shown_before(journal: Journal, plan: Plan, changes: Sequence[Change]) -> list[Reread]:
    """What the ledger was seen to show by earlier runs of this plan."""
    wanted = {change.id: change for change in changes}
    found: dict[str, Reread] = {}
    for entry in journal.read().entries:
        if entry["kind"] != "reread" or entry["plan"] != plan.digest:
            continue
        for each in entry["events"]:
            change = wanted.get(each["change"])
            if change is not None and each["moved"] == Moved.YES.value:
                event = change.key["event"] or ""
                found[change.id] = Reread(change.id, event, each["moved"], each["row"])
    return list(found.values())


def _was_sent(outcome: Outcome) -> bool:
    return outcome.result is Result.DONE or (outcome.result is Result.ALREADY and outcome.entry > 0)


def _events(
    sources: Sources, changes: list[Change], sent: Mapping[str, PathEvent]
) -> dict[str, PathEvent]:
    events: dict[str, PathEvent] = {}
    for change in changes:
        if change.id in sent:
            events[change.id] = sent[change.id]
            continue
        try:
            events[change.id] = fetched(sources, change.key["event"] or "").event
        except EventGoneError:
            continue
    return events


def _moved(
    settings: Settings, sources: Sources, events: list[PathEvent], patience_s: float
) -> dict[str, tuple[Moved, str]]:
    """What the ledger shows, waiting a little for what it does not show yet."""
    from payops.webhooks.ledger import shown

    until = time.monotonic() + patience_s
    found = shown(settings, sources, events)
    while any(moved in _LACKING for moved, _ in found.values()) and time.monotonic() < until:
        time.sleep(_LOOK_EVERY_S)
        found = shown(settings, sources, events)
    return found


def _logged(settings: Settings, sources: Sources, events: list[PathEvent]) -> dict[str, str]:
    """The event log's word for each of these, empty where it has none."""
    if not settings.event_logs:
        return {event.id: "" for event in events}
    from payops.webhooks.logged import logged, with_rows

    rows, _ = logged(settings, sources, [event.id for event in events])
    return {event.id: with_rows(event, rows).logged for event in events}


def _lacks(moved: Moved, logged: str) -> bool:
    """Whether it had no effect, as far as ledger and event log tell."""
    return moved in _LACKING or (moved is Moved.NOT_TOLD and logged in {"waiting", "failed"})


def _advice(change: Change, moved: Moved, logged: str, since: datetime) -> str:
    """What to do about an event that was accepted and that the ledger does not show."""
    by_hand = f"`payops reconcile --since {utc_text(since)} --save-plan F` puts the rows right"
    if change.remedy == "webhook.retry":
        return "Stripe may be delivering it still: look again with `payops webhooks status`"
    if logged == "waiting":
        return f"it arrived and waits in the event log: is its worker alive? Else {by_hand}"
    if logged == "failed":
        return f"its handler failed, see `payops webhooks stuck`; {by_hand}"
    if moved is Moved.NO_ROW:
        return f"accepted, and the ledger has no row for it; {by_hand}"
    return (
        "accepted, and the ledger did not move: the handler swallows it, see the application's "
        f"log; {by_hand}"
    )
