"""`payops trace --follow`: waits until something happens to a payment, within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.domain.deadline import Deadline
from payops.domain.duration import human_duration
from payops.engine.trace import Trace, Tracer, livemode_of
from payops.errors import SourceError, UsageError
from payops.sources import Sources
from payops.sources.stripe_payment import ChargeObject, Intent, id_of, path_of
from payops.trace.finding import true_state
from payops.trace.gather_ledger import read_log, rows_by_names
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow, Story
from payops.trace.tells import awaited

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.report import Report

# Two requests a round at most: one a second beside live payments is nothing.
_EVERY_S = 2.0
_ROUND_S = 5.0

Seen = tuple[object, ...]


def follow(
    settings: Settings,
    asked: str,
    each_s: float,
    until: Deadline,
    tell: Callable[[str], None],
    *,
    probe: bool = True,
) -> Report:
    """The trace once something has happened, or as it is when the time is over.

    Says on `tell` what it waits for, and what happened. Raises UsageError for an id of several
    payments, or of none.
    """
    report, one = _traced(settings, asked, each_s, probe=probe)
    if one is None:
        return report
    tell(f"payops: {one.name}: waiting for {_awaits(one)}, for {human_duration(until.remaining)}")
    before = seen(one.story)
    while until.remaining > 0:
        now = look(settings, one.story)
        if now is not None and now != before:
            tell(f"payops: {one.name}: {_changed(before, now)}")
            return _traced(settings, asked, each_s, probe=probe)[0]
        time.sleep(min(_EVERY_S, until.remaining))
    tell(f"payops: {one.name}: nothing happened in that time; this is how it stands")
    return _traced(settings, asked, each_s, probe=probe)[0]


def _traced(
    settings: Settings, asked: str, each_s: float, *, probe: bool
) -> tuple[Report, Trace | None]:
    tracer = Tracer(settings, Deadline.after(each_s), probe=probe)
    try:
        traced = tracer.traced([asked])
        traces = [each for one in traced for each in one.traces]
        if len(traces) > 1:
            raise UsageError(
                f"{asked} means {len(traces)} payments: follow one of them",
                hint="payops trace " + " or ".join(each.name for each in traces[:3]),
            )
        return tracer.report(traced), traces[0] if traces else None
    finally:
        tracer.close()


def _awaits(one: Trace) -> str:
    missing = [entry for entry in one.entries if entry.happened.value != "happened"]
    if missing:
        return missing[0].what
    state = true_state(one.story) or ""
    return awaited(state) or "anything: a refund, a dispute, a change of its row"


def look(settings: Settings, story: Story) -> Seen | None:
    """What may change of it, in two requests; None where not all of it could be asked."""
    sources = Sources(settings, Deadline.after(_ROUND_S))
    reach = Reach(settings, sources, datetime.now(UTC), livemode=livemode_of(settings))
    try:
        fresh = Story(story.now, story.grace, story.event_within, events=story.events)
        _read_stripe(reach, story, fresh)
        keys = [row.key for row in story.rows]
        rows = rows_by_names(reach, {"id": keys}) if keys else _by_reference(reach, story)
        fresh.rows = rows or ()
        read_log(reach, fresh)
        return None if reach.down else seen(fresh)
    finally:
        sources.close()


def seen(story: Story) -> Seen:
    """What of a story may change: Stripe's side, its rows, the event log."""
    intent, charge = story.intent, story.charge
    stripe: Seen = ()
    if intent is not None:
        stripe = (intent.status, intent.amount_received, id_of(intent.latest_charge))
    if charge is not None:
        stripe += (charge.status, charge.taken, charge.amount_refunded, charge.disputed)
    rows = sorted((one.name, one.key, one.row.status, one.row.updated_us) for one in story.rows)
    log = sorted(
        (event, tuple((row.status, str(row.processed_at)) for row in rows_))
        for event, rows_ in story.logged.items()
    )
    return stripe, tuple(rows), tuple(log)


def _by_reference(reach: Reach, story: Story) -> tuple[LedgerRow, ...] | None:
    if story.intent is None:
        return ()
    return rows_by_names(reach, {"processor_ref": [story.intent.id]})


def _read_stripe(reach: Reach, story: Story, fresh: Story) -> None:
    intent = story.intent
    if intent is None:
        return
    try:
        if story.made_of_charge:
            fresh.intent, latest = intent, intent.id
        else:
            fresh.intent = reach.stripe(
                "the PaymentIntent", path_of("payment_intents", intent.id), Intent
            )
            latest = id_of(fresh.intent.latest_charge) if fresh.intent else ""
        if latest:
            charge = reach.stripe("the charge", path_of("charges", latest), ChargeObject)
            fresh.charges = (charge,) if charge else ()
    except SourceError:
        return  # it was there a moment ago


def _changed(before: Seen, now: Seen) -> str:
    names = ("Stripe's objects", "its row", "the event log")
    moved = [name for name, a, b in zip(names, before, now, strict=False) if a != b]
    return f"{' and '.join(moved)} changed"
