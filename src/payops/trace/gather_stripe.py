"""What Stripe knows of one payment, in as few requests as will do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec

from payops.errors import Failure, SourceError
from payops.sources.stripe_payment import (
    ChargeObject,
    DisputeObject,
    EndpointFact,
    Intent,
    PayoutObject,
    RefundObject,
    SessionObject,
    StoryEvent,
    id_of,
    path_of,
)
from payops.trace.reach import Reach, Unseen
from payops.trace.story import Story, moment

O = TypeVar("O")  # noqa: E741  an object


class Page(msgspec.Struct, Generic[O], frozen=True):
    """One page of a list."""

    data: list[O]
    has_more: bool = False


# Exactly the 20 types that one request may ask for (Stripe's reference, 'List all events').
TYPES = tuple(
    """
    payment_intent.created payment_intent.requires_action payment_intent.processing
    payment_intent.succeeded payment_intent.payment_failed payment_intent.canceled
    payment_intent.amount_capturable_updated charge.succeeded charge.failed charge.captured
    charge.refunded charge.dispute.created charge.dispute.closed charge.dispute.funds_withdrawn
    charge.dispute.funds_reinstated refund.created refund.updated refund.failed
    checkout.session.completed checkout.session.expired
    """.split()
)
_BEFORE = timedelta(seconds=2)
# Stripe makes an event in the second of what it tells, or the next few.
_AFTER = timedelta(seconds=15)
_APART = timedelta(seconds=60)
_MOST_SPANS = 3
_MOST_PAGES = 4
_KEPT = timedelta(days=30)
# Payouts to look through: an automatic one comes with the next day or two after the money is there.
_PAYOUTS_WITHIN = timedelta(days=4)
_MOST_PAYOUTS = 3
# Another payment for the same thing is made within a day, or it is no double click.
_SIBLINGS_WITHIN = timedelta(days=1)


def read_intent(reach: Reach, story: Story, intent: str) -> None:
    """The intent and its charges, refunds, disputes. An unknown one is noted as absent."""
    try:
        found = reach.stripe("the PaymentIntent", path_of("payment_intents", intent), Intent)
    except SourceError as error:
        if error.kind is not Failure.NOT_FOUND:
            raise
        story.stripe_seen = True
        story.absent = intent
        story.other_mode = in_other_mode(error)
        return
    if found is None:
        return
    story.stripe_seen = True
    story.intent = found
    charges = reach.stripe(
        "its charges",
        "/v1/charges",
        Page[ChargeObject],
        payment_intent=intent,
        limit=20,
        expand=["data.balance_transaction"],
    )
    if charges is not None:
        story.charges = tuple(sorted(charges.data, key=lambda one: (one.created, one.id)))
        _refunds_and_disputes(reach, story, payment_intent=intent)


def read_charge(reach: Reach, story: Story, charge: ChargeObject) -> None:
    """A charge that has no intent: it stands for one."""
    story.stripe_seen = story.made_of_charge = True
    story.charges = (charge,)
    states = {"succeeded": "succeeded", "pending": "processing"}
    status = states.get(charge.status, "requires_payment_method")
    if charge.status == "succeeded" and charge.captured is False:
        status = "requires_capture"
    story.intent = Intent(
        id=charge.id,
        amount=charge.amount,
        created=charge.created,
        currency=charge.currency,
        status=status,
        livemode=charge.livemode,
        amount_received=charge.taken,
        customer=charge.customer,
        latest_charge=charge.id,
        metadata=charge.metadata,
    )
    _refunds_and_disputes(reach, story, charge=charge.id)


def _refunds_and_disputes(reach: Reach, story: Story, **of: str) -> None:
    refunds = reach.stripe(
        "its refunds",
        "/v1/refunds",
        Page[RefundObject],
        limit=20,
        expand=["data.balance_transaction"],
        **of,
    )
    if refunds is not None:
        story.refunds = tuple(sorted(refunds.data, key=lambda one: (one.created, one.id)))
        story.refunds_seen = True
    if any(charge.disputed for charge in story.charges):
        disputes = reach.stripe("its disputes", "/v1/disputes", Page[DisputeObject], limit=20, **of)
        if disputes is not None:
            story.disputes = tuple(sorted(disputes.data, key=lambda one: (one.created, one.id)))


def read_sessions(reach: Reach, story: Story) -> None:
    """The Checkout Sessions of the intent."""
    if story.intent is None or story.made_of_charge:
        return
    found = reach.stripe(
        "its Checkout Session",
        "/v1/checkout/sessions",
        Page[SessionObject],
        payment_intent=story.intent.id,
        limit=5,
    )
    if found is not None:
        known = {one.id: one for one in (*found.data, *story.sessions)}
        story.sessions = tuple(sorted(known.values(), key=lambda one: (one.created, one.id)))


def read_siblings(reach: Reach, story: Story, wanted: Sequence[str]) -> None:
    """Other intents of the same customer about that time, and those that other rows name."""
    if story.intent is None or story.made_of_charge:
        return
    found: dict[str, Intent] = {}
    customer, made = id_of(story.intent.customer), moment(story.intent.created)
    if customer:
        page = reach.stripe(
            "the customer's other payments",
            "/v1/payment_intents",
            Page[Intent],
            customer=customer,
            created={
                "gte": int((made - _SIBLINGS_WITHIN).timestamp()),
                "lt": int((made + _SIBLINGS_WITHIN).timestamp()),
            },
            limit=100,
            expand=["data.latest_charge"],
        )
        found = {one.id: one for one in page.data} if page is not None else {}
    for intent in [one for one in wanted if one not in found and one != story.intent.id][:2]:
        try:
            one = reach.stripe(
                "the order's other payments",
                path_of("payment_intents", intent),
                Intent,
                expand=["latest_charge"],
            )
        except SourceError:
            continue  # it is not there: then it took no money either
        if one is not None:
            found[one.id] = one
    found.pop(story.intent.id, None)
    story.siblings = tuple(sorted(found.values(), key=lambda one: (one.created, one.id)))


def read_events(reach: Reach, story: Story) -> None:
    """The events of the seconds in which something happened to it."""
    spans = _spans(story)
    if not spans:
        return
    found: dict[str, StoryEvent] = {event.id: event for event in story.events}
    whole: list[tuple[datetime, datetime]] = []
    pages = _MOST_PAGES
    for first, last in spans:
        cursor: dict[str, str] = {}
        complete = False
        while pages > 0 and not complete:
            pages -= 1
            page = reach.stripe(
                "its events",
                "/v1/events",
                Page[StoryEvent],
                types=list(TYPES),
                created={"gte": int(first.timestamp()), "lte": int(last.timestamp())},
                limit=100,
                **cursor,
            )
            if page is None:
                break
            found.update((event.id, event) for event in page.data if _about(event, story))
            complete = not page.has_more or not page.data
            cursor = {"starting_after": page.data[-1].id} if page.data else {}
        if complete:
            whole.append((first, last))
    story.events = tuple(sorted(found.values(), key=lambda one: (one.created, one.id)))
    story.events_from = tuple(whole)
    if len(whole) < len(spans) and reach.sees("stripe"):
        reach.note(
            Unseen("stripe", "its events", "so many in these seconds that not all were read")
        )


def read_endpoints(reach: Reach, story: Story) -> None:
    """Where Stripe sends events; asked once a run."""
    if "endpoints" not in reach.kept:
        page = reach.stripe(
            "the webhook endpoints", "/v1/webhook_endpoints", Page[EndpointFact], limit=100
        )
        if page is None:
            return
        reach.kept["endpoints"] = tuple(page.data)
    story.endpoints = reach.kept["endpoints"]


def read_payouts(reach: Reach, story: Story) -> None:
    """The payout that paid the charge out: Stripe's objects do not name it, its lines do."""
    line = story.lines[0] if story.lines else None
    if line is None or line.amount <= 0 or moment(line.available_on) > story.now:
        return
    since = moment(line.available_on) - timedelta(days=1)
    page = reach.stripe(
        "the payouts of those days",
        "/v1/payouts",
        Page[PayoutObject],
        created={
            "gte": int(since.timestamp()),
            "lt": int((since + _PAYOUTS_WITHIN).timestamp()),
        },
        limit=20,
    )
    source = id_of(line.source)
    candidates = sorted(page.data if page else (), key=lambda one: (one.created, one.id))
    for payout in [one for one in candidates if one.currency == line.currency][:_MOST_PAYOUTS]:
        lines = reach.stripe(
            "the payout's line of it",
            "/v1/balance_transactions",
            Page[_Line],
            payout=payout.id,
            source=source,
            limit=1,
        )
        if lines is None:
            return
        if lines.data:
            story.payouts = ((payout, line.id),)
            return


class _Line(msgspec.Struct, frozen=True):
    id: str


def in_other_mode(error: SourceError) -> bool:
    """Whether Stripe says that there is such an object for keys of the other mode."""
    return "a similar object exists in" in error.message


def _spans(story: Story) -> list[tuple[datetime, datetime]]:
    """Spans of seconds in which events of it were made, few and short, the first ones first."""
    seconds = [one.created for one in story.charges]
    seconds += [one.created for one in story.refunds]
    seconds += [one.created for one in story.disputes]
    seconds += [one.created for one in story.sessions]
    moments = [moment(each) for each in seconds]
    intent = story.intent
    if intent is not None:
        moments.append(moment(intent.created))
        if intent.canceled_at:
            moments.append(moment(intent.canceled_at))
    oldest = story.now - _KEPT
    edges = sorted((each - _BEFORE, each + _AFTER) for each in moments if each > oldest)
    spans: list[tuple[datetime, datetime]] = []
    for first, last in edges:
        if spans and first - spans[-1][1] <= _APART:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    if intent is not None and _ended_without_a_time(story):
        # A refused authentication makes no charge: when it ended, its event alone says.
        first = moment(intent.created) - _BEFORE
        spans = [(first, min(first + timedelta(hours=1), story.now))]
    return spans[:_MOST_SPANS] if len(spans) <= _MOST_SPANS else [*spans[:2], spans[-1]]


def _ended_without_a_time(story: Story) -> bool:
    intent = story.intent
    return (
        intent is not None
        and intent.status in ("requires_payment_method", "processing", "requires_action")
        and not story.charges
    )


def _about(event: StoryEvent, story: Story) -> bool:
    ids = set(_ids(story))
    return bool({event.about, event.payment_intent, event.charge} & ids)


def _ids(story: Story) -> Iterable[str]:
    if story.intent is not None:
        yield story.intent.id
    for group in (story.charges, story.refunds, story.disputes, story.sessions):
        for one in group:
            yield one.id
