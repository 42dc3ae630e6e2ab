"""How each event of a traced payment was lost: reasoned as `payops webhooks status` does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.domain.deadline import Deadline
from payops.domain.money import Money
from payops.domain.webhook import Cause, Moved, PathEvent
from payops.domain.window import Window
from payops.errors import PayopsError
from payops.sources.stripe_payment import StoryEvent
from payops.trace.gather_stripe import Page
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow, Story, Unmade, Way, moment
from payops.webhooks.advice import meaning
from payops.webhooks.classify import Ground, Place, Verdict, classify
from payops.webhooks.faults import Asked
from payops.webhooks.ledger import Row, judge_payments, judge_refunds, shown
from payops.webhooks.logged import logged, with_rows
from payops.webhooks.path import Endpoint, Part, Path
from payops.webhooks.seen import with_keys
from payops.webhooks.told import Book, book_of

if TYPE_CHECKING:
    from payops.domain.payment import PaymentStatus

# One POST without a signature to each endpoint that has not had an event.
_PROBE_S = 2.5
_MOST_PROBED = 3
# Of the newest events the last three that concern the endpoint tell; others are for other ones.
_NEWEST = 50
# Types of which one must exist: an object in this state, and a moment for the event to be made.
_OF_REFUND = ("refund.created", "charge.refunded", "charge.refund.updated")
_DUE = {
    "succeeded": ("payment_intent.succeeded",),
    "canceled": ("payment_intent.canceled",),
}


def find_ways(reach: Reach, story: Story, *, probe: bool) -> None:
    """Say of each event of the story how it was lost, and which were never made.

    With `probe` the endpoints that have not had one are asked, as strangers: a POST without a
    signature, which no application takes for an event.
    """
    story.unmade = tuple(_unmade(reach, story))
    events = _path_events(reach, story)
    if not events:
        return
    asked = _asked(reach, story, events) if probe else {}
    ground = Ground(
        path=_path(reach, story, events),
        asked=asked,
        needs=frozenset(reach.settings.webhooks.needs),
        marked_before=_marked_before(reach),
    )
    ways: dict[str, Way] = {}
    for verdict in _eliminated(reach, classify(ground), ground):
        if verdict.place is Place.LOST and verdict.cause is not None:
            said = meaning(verdict.cause, verdict.detail, certain=verdict.certain)
            ways[verdict.event.id] = Way(verdict.cause.value, verdict.detail, said, verdict.certain)
    story.ways = ways
    if any(
        way.cause.startswith(("endpoint-", "signature", "undelivered")) for way in ways.values()
    ):
        story.probed = tuple(each.seen for each in asked.values())


def _eliminated(reach: Reach, verdicts: list[Verdict], ground: Ground) -> list[Verdict]:
    """The verdicts; where an endpoint answers well and has not had an event, by what became of the
    account's newest events: has it recovered, or does it refuse what Stripe signs?"""
    open_ = {
        verdict.event.id
        for verdict in verdicts
        if verdict.cause is Cause.UNDELIVERED and not verdict.certain and ground.asked
    }
    newest = _newest(reach) if open_ else []
    if not newest:
        return verdicts
    own = {event.id: event for event in ground.path.events}
    known = {event.id: event for event in newest} | own
    both = tuple(sorted(known.values(), key=lambda event: (event.created, event.id)))
    wider = replace(ground, path=replace(ground.path, events=both, whole=True))
    # Of what was delivered nothing may be concluded here: these are some of the events.
    again = {verdict.event.id: verdict for verdict in classify(wider) if verdict.event.id in open_}
    return [again.get(verdict.event.id, verdict) for verdict in verdicts]


def _newest(reach: Reach) -> list[PathEvent]:
    """The account's newest events, as far as they came; asked once a run."""
    if "newest" not in reach.kept:
        page = reach.stripe("the newest events", "/v1/events", Page[StoryEvent], limit=_NEWEST)
        if page is None:
            return []
        reach.kept["newest"] = _as_they_came(reach, [_path_event(event) for event in page.data])
    found: list[PathEvent] = reach.kept["newest"]
    return found


def _as_they_came(reach: Reach, events: list[PathEvent]) -> list[PathEvent]:
    settings, sources = reach.settings, reach.sources
    ids = [event.id for event in events]
    if settings.event_logs:
        rows = reach.ask("postgres", "the event log", lambda: logged(settings, sources, ids)[0])
        events = [with_rows(event, rows or {}) for event in events]
    dedupe = settings.webhooks.dedupe
    if dedupe is not None:
        told = events
        keyed = reach.ask("redis", "its keys", lambda: with_keys(sources, dedupe, told, reach.now))
        events = keyed or events
    asked = events
    moved = reach.ask("postgres", "the ledger", lambda: shown(settings, sources, asked)) or {}
    return [
        replace(event, moved=moved[event.id][0]) if event.id in moved else event for event in events
    ]


def _marked_before(reach: Reach) -> bool:
    dedupe = reach.settings.webhooks.dedupe
    return dedupe is not None and dedupe.marked == "before"


def _path_events(reach: Reach, story: Story) -> list[PathEvent]:
    """The events in the words of the path: with what the log, the keys and the ledger say."""
    keys = {key.about: key.there for key in story.redis_keys}
    events = [
        with_rows(
            replace(_path_event(event), seen=keys.get(event.id)),
            {event.id: list(story.logged.get(event.id, ()))},
        )
        for event in story.events
    ]
    if not story.ledger_seen:
        return events
    moved = _moved(reach, story, events)
    return [moved.get(event.id, event) for event in events]


def _path_event(event: StoryEvent) -> PathEvent:
    subject = event.data.object
    amount = subject.amount_refunded if event.type == "charge.refunded" else subject.amount
    money = None
    if isinstance(amount, int) and isinstance(subject.currency, str) and abs(amount) < 10**18:
        money = Money(subject.currency, amount)
    return PathEvent(
        id=event.id,
        type=event.type,
        created=moment(event.created),
        livemode=event.livemode,
        pending_webhooks=event.pending_webhooks,
        object_id=event.about,
        object_status=subject.status if isinstance(subject.status, str) else "",
        payment_intent=event.payment_intent,
        amount=money,
    )


def _moved(reach: Reach, story: Story, events: list[PathEvent]) -> dict[str, PathEvent]:
    """The events with what the rows of the story show of each."""
    rows = tuple(_row(one) for one in story.rows)
    payments = [event for event in events if book_of(event) is Book.PAYMENTS]
    found = judge_payments(
        payments, {event.id: rows for event in payments}, _known(reach, "payments")
    )
    refunds = [event for event in events if book_of(event) is Book.REFUNDS]
    if story.keeps_refunds:
        own = {
            event.id: tuple(
                _row(one) for one in story.refund_rows if one.row.processor_ref == event.object_id
            )
            for event in refunds
        }
        found |= judge_refunds(refunds, own, _known(reach, "refunds"))
    of_refunds = {event.id for event in refunds}
    told: dict[str, PathEvent] = {}
    for event in events:
        standing = found.get(event.id)
        if standing is None:
            continue
        moved = standing.moved
        if moved is Moved.NO_ROW and event.id in of_refunds and story.rows:
            moved = Moved.NO  # the payment is ours, so its refund should be
        state = standing.rows[0].word if standing.rows else None
        told[event.id] = replace(
            event,
            moved=moved,
            local_id=standing.local_id,
            local_state=state.value if state else "",
        )
    return told


def _row(one: LedgerRow) -> Row:
    return Row(one.key, one.word, one.completed)


def _known(reach: Reach, kind: str) -> frozenset[PaymentStatus]:
    from payops.domain.payment import PaymentStatus

    return frozenset(
        PaymentStatus(word)
        for ledger in reach.settings.ledgers.values()
        if ledger.kind == kind
        for word, raws in ledger.statuses.items()
        if raws
    )


def _path(reach: Reach, story: Story, events: list[PathEvent]) -> Path:
    asked = {Part.EVENTS}
    if story.endpoints is not None:
        asked.add(Part.ENDPOINTS)
    if story.log_seen:
        asked.add(Part.LOG)
    if story.ledger_seen:
        asked.add(Part.LEDGER)
    if reach.settings.webhooks.dedupe is not None and reach.sees("redis"):
        asked.add(Part.KEYS)
    stripe, postgres = reach.clocks.get("stripe"), reach.clocks.get("postgres")
    offset = 0.0
    if stripe is not None and postgres is not None:
        offset = postgres.offset_s - (stripe.offset_s if stripe.skewed else 0.0)
    first = min(event.created for event in events)
    return Path(
        window=Window(first, max(story.now, first)),
        as_of=story.now,
        events=tuple(events),
        whole=False,
        endpoints=_endpoints(story),
        asked=frozenset(asked),
        log_offset_s=offset if abs(offset) > 1 else 0.0,
    )


def _endpoints(story: Story) -> tuple[Endpoint, ...] | None:
    if story.endpoints is None:
        return None
    return tuple(
        Endpoint(
            id=each.id,
            url=each.url,
            enabled=each.status == "enabled",
            types=each.enabled_events,
            livemode=each.livemode is not False,
            created=moment(each.created),
        )
        for each in story.endpoints
    )


def _asked(reach: Reach, story: Story, events: list[PathEvent]) -> dict[str, Asked]:
    """What the endpoints answer a stranger, where one of them has not had an event."""
    if not any(event.pending_webhooks and not event.logged for event in events):
        return {}
    if "probes" not in reach.kept:
        reach.kept["probes"] = dict(_probed(reach, story))
    found: dict[str, Asked] = reach.kept["probes"]
    return found


def _probed(reach: Reach, story: Story) -> Iterator[tuple[str, Asked]]:
    """Only addresses that the configuration names are asked."""
    from payops.sources import Sources
    from payops.webhooks.faults import asked
    from payops.webhooks.probe import probe_endpoint

    registered = {each.url for each in story.endpoints or ()}
    for endpoint in reach.settings.webhooks.endpoints[:_MOST_PROBED]:
        if registered and endpoint.url not in registered:
            continue
        sources = Sources(
            reach.settings, Deadline.after(min(_PROBE_S, reach.sources.deadline.remaining))
        )
        try:
            found = probe_endpoint(
                endpoint, reach.settings, sources, now=datetime.now(UTC), signed=False
            )
        except PayopsError:
            continue  # an address that cannot be asked says nothing
        finally:
            sources.close()
        yield endpoint.url, asked(found, endpoint.url)


def _unmade(reach: Reach, story: Story) -> Iterator[Unmade]:
    """Events that there should be, where all events of their seconds were read."""
    made = {(event.type, name) for event in story.events for name in _names(event)}
    due: list[tuple[tuple[str, ...], datetime, str]] = []
    intent = story.intent
    if intent is not None and not story.made_of_charge and intent.status in _DUE:
        at = moment(intent.canceled_at) if intent.canceled_at else None
        if intent.status == "succeeded" and story.charge is not None:
            at = moment(story.charge.created)
        if at is not None:
            due.append((_DUE[intent.status], at, intent.id))
    for refund in story.refunds:
        due.append((_OF_REFUND, moment(refund.created), refund.id))
    for dispute in story.disputes:
        due.append((("charge.dispute.created",), moment(dispute.created), dispute.id))
    if reach.settings.webhooks.needs and "checkout.session.completed" in (
        reach.settings.webhooks.needs
    ):
        due += [
            (("checkout.session.completed",), moment(one.created), one.id)
            for one in story.sessions
            if one.status == "complete"
        ]
    charges = {one.id for one in story.charges}
    for types, at, about in due:
        seconds = {event.created for event in story.events if event.about in charges}
        # `charge.refunded` is about the charge: the second is what the two have in common.
        refunded = "charge.refunded" in types and int(at.timestamp()) in seconds
        if story.now - at < story.event_within or not story.reads(at) or refunded:
            continue
        if not any((type_, about) in made for type_ in types):
            yield Unmade(types[0], at, about)


def _names(event: StoryEvent) -> Iterator[str]:
    yield event.about
    if event.payment_intent and event.data.object.object == "payment_intent":
        yield event.payment_intent
