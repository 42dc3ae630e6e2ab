"""Whether this side has had an event that Stripe still owes.

Pure. Stripe counts an event as owed until an endpoint accepts it from Stripe itself: what was sent
again by hand, or put right by a plan, stays owed for hours, and comes once more as a duplicate.
"""

from __future__ import annotations

from payops.domain.webhook import Had, Moved, PathEvent
from payops.webhooks.classify import IN_FLIGHT, lag_of
from payops.webhooks.path import Path


def had_of(path: Path, *, marked_before: bool) -> Had:
    """The events of a path that this side has had; `marked_before` where a dedupe key is set before
    the event is handled, and so tells that it came and no more."""
    had = [event for event in path.events if _was_had(path, event, marked_before)]
    # A ledger alone may have its rows from Stripe's own answers, and not by events: as long as
    # other events are lost, what it shows says nothing of how events come.
    others_lost = len(had) < len(path.events)
    at_once = frozenset(
        event.id
        for event in had
        if _came_at_once(path, event) and (bool(event.logged) or others_lost)
    )
    return Had(since=frozenset(event.id for event in had) - at_once, at_once=at_once)


def owed_in_name(path: Path, sent_again: frozenset[str]) -> frozenset[str]:
    """The events that Stripe alone still owes: those that payops sent again, and with them, once
    nothing else is lost, those that a replay leaves out since the ledger shows them already."""
    settled = [
        event
        for event in path.events
        if event.pending_webhooks > 0 and path.as_of - event.created >= IN_FLIGHT
    ]
    shown = frozenset(event.id for event in settled if event.moved is Moved.YES)
    if sent_again and all(event.id in sent_again | shown for event in settled):
        return sent_again | shown
    return sent_again


def _was_had(path: Path, event: PathEvent, marked_before: bool) -> bool:
    """Nobody tells: no. A ledger that shows the opposite of it is believed before all else."""
    if event.moved is Moved.NO or event.logged in {"failed", "waiting"}:
        return False
    return (
        event.logged == "handled"
        or event.moved is Moved.YES
        or (bool(event.seen) and not marked_before)
        or event.id in path.sent_again
    )


def _came_at_once(path: Path, event: PathEvent) -> bool:
    """Handled when it was made: then what is owed is another endpoint's, or an answer that came too
    late; nobody has sent it again."""
    if event.id in path.sent_again:
        return False
    lag = lag_of(path, event, event.processed_at or event.received_at)
    return lag is not None and lag <= IN_FLIGHT
