"""The story as lines: what each side told, and what is expected and did not happen. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from payops.domain.duration import human_duration
from payops.domain.money import Money
from payops.domain.timeline import Entry, Happened, Rank, on_our_clock, ordered
from payops.trace.entries_ledger import from_audits, from_keys, from_log, from_rows
from payops.trace.entries_stripe import from_events, from_objects
from payops.trace.finding import true_state
from payops.trace.story import Story, moment
from payops.trace.tells import awaited


def timeline(story: Story) -> tuple[Entry, ...]:
    """Every entry on one clock, in the order of time and cause."""
    told = [
        *from_objects(story),
        *from_events(story),
        *from_rows(story),
        *from_log(story),
        *from_audits(story),
        *from_keys(story),
    ]
    entries = [on_our_clock(entry, story.clocks) for entry in told]
    entries += _expected(story)
    return ordered(entries)


def _expected(story: Story) -> Iterator[Entry]:
    """What should have happened by now, or has still to happen."""
    yield from _unarrived(story)
    yield from _unmade(story)
    yield from _unwritten(story)
    yield from _next(story)


def _unarrived(story: Story) -> Iterator[Entry]:
    """Events that should have been received."""
    for event in story.events:
        due = moment(event.created) + story.event_within
        rows = story.logged.get(event.id, ())
        way = story.ways.get(event.id)
        if rows:
            yield from _unhandled(story, event.id, event.type)
            continue
        if event.pending_webhooks <= 0 and (way is None or way.cause in _ARRIVED):
            continue
        overdue = due < story.now
        should = "should have been" if overdue else "should be"
        yield Entry(
            due,
            "payops",
            "event.received",
            f"{event.type} {should} received by {due:%H:%M:%S}"
            + (f": {way.said}" if way and overdue else ""),
            Rank.EXPECTED,
            id=event.id,
            happened=Happened.MISSING if overdue else Happened.DUE,
        )


# Of these the event was there, and what came after is what is wrong.
_ARRIVED = frozenset(
    {"received-not-processed", "answered-not-processed", "processed-late", "processed-twice"}
    | {"out-of-order"}
)


def _unhandled(story: Story, event: str, type_: str) -> Iterator[Entry]:
    from payops.sources.event_log import word_of

    rows = story.logged[event]
    if any(word_of(row) == "handled" for row in rows):
        return
    received = min((row.received_at for row in rows if row.received_at), default=None)
    if received is None:
        return
    due = received + story.event_within
    overdue = due < story.now
    should = "should have been" if overdue else "should be"
    error = next((row.error for row in rows if row.error), None)
    yield Entry(
        due,
        "payops",
        "event.handled",
        f"{type_} {should} handled by {due:%H:%M:%S}" + (f": {error}" if error else ""),
        Rank.EXPECTED,
        id=event,
        happened=Happened.MISSING if overdue else Happened.DUE,
    )


def _unmade(story: Story) -> Iterator[Entry]:
    """Events that Stripe should have made."""
    for one in story.unmade:
        due = one.at + story.event_within
        yield Entry(
            due,
            "payops",
            "event.made",
            f"{one.type} of {one.about} should have been made and received by {due:%H:%M:%S}",
            Rank.EXPECTED,
            id=one.about,
            happened=Happened.MISSING,
        )


def _unwritten(story: Story) -> Iterator[Entry]:
    """A row that there should be."""
    if story.intent is None or story.rows or not story.ledger_seen or story.taken <= 0:
        return
    at = moment(story.charge.created if story.charge else story.intent.created)
    due = at + story.event_within
    overdue = due < story.now
    yield Entry(
        due,
        "payops",
        "row.created",
        f"a row of the ledger {'should have been' if overdue else 'should be'} there by "
        f"{due:%H:%M:%S}",
        Rank.EXPECTED,
        id=story.intent.id,
        money=Money(story.intent.currency, story.taken),
        happened=Happened.MISSING if overdue else Happened.DUE,
    )


def _next(story: Story) -> Iterator[Entry]:
    """What the payment waits for."""
    intent, state = story.intent, true_state(story)
    if intent is not None and state in _AWAITED:
        yield Entry(
            story.now,
            "payops",
            f"awaited.{state}",
            f"{_AWAITED[state]}; it waits since {human_duration(_age(story))}"
            + (f"; {awaited(state)} tells it" if awaited(state) else ""),
            Rank.NOW,
            id=intent.id,
            happened=Happened.DUE,
        )
    for dispute in story.disputes:
        due = dispute.evidence_details.due_by if dispute.evidence_details else None
        if due and dispute.status.endswith("needs_response"):
            yield Entry(
                moment(due),
                "payops",
                "dispute.due",
                f"evidence for {dispute.id} is due: in the Dashboard, once",
                Rank.EXPECTED,
                id=dispute.id,
                happened=Happened.MISSING if moment(due) < story.now else Happened.DUE,
            )


_AWAITED = {
    "processing": "the bank's answer comes next",
    "held": "a capture comes next, or the hold ends after 7 days",
    "action": "the customer's authentication comes next",
    "waiting": "a card or a confirmation comes next",
}


def _age(story: Story) -> float:
    return (story.now - moment(story.intent.created if story.intent else 0)).total_seconds()
