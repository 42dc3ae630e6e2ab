"""One payment gathered from every side: each answer names the next question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from payops.errors import SourceError
from payops.sources.stripe_payment import (
    ChargeObject,
    DisputeObject,
    SessionObject,
    StoryEvent,
    id_of,
    path_of,
)
from payops.trace import gather_ledger, gather_redis, gather_stripe
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow, Story


@dataclass(frozen=True)
class Subject:
    """One payment to be traced: what `find` knows of it already.

    `intent` is its PaymentIntent (or what a row takes for one), `charge` a charge without one,
    `rows` the ledger's. `absent` was asked for at Stripe already, and is not there.
    """

    intent: str = ""
    charge: ChargeObject | None = None
    session: SessionObject | None = None
    dispute: DisputeObject | None = None
    event: StoryEvent | None = None
    rows: tuple[LedgerRow, ...] = ()
    absent: str = ""
    other_mode: bool = False


def gather(reach: Reach, subject: Subject) -> Story:
    """Everything that can be seen of it but `gather_last`. Raises nothing of a source's: what could
    not be seen is in the story.

    The questions stand in the order of what they tell, since a budget may end before they do.
    """
    settings = reach.settings
    story = Story(
        now=reach.now,
        grace=timedelta(seconds=float(settings.reconcile.grace)),
        event_within=timedelta(seconds=float(settings.trace.event_within)),
        livemode=reach.livemode,
        reference=subject.intent,
        rows=subject.rows,
        absent=subject.absent,
        other_mode=subject.other_mode,
        sessions=(subject.session,) if subject.session else (),
        events=(subject.event,) if subject.event else (),
        maps_fee=any(one.columns.fee for one in gather_ledger.ledgers(reach).values()),
        stripe_seen=bool(subject.absent),
        meta_keys=frozenset(
            key
            for one in gather_ledger.ledgers(reach).values()
            for key in (one.references.local_id, one.references.order_id)
            if key
        ),
    )
    _stripe_objects(reach, story, subject)
    if _uses_sessions(reach) and not story.sessions:
        gather_stripe.read_sessions(reach, story)
    gather_ledger.read_rows(reach, story)
    gather_ledger.read_refund_rows(reach, story)
    gather_stripe.read_events(reach, story)
    gather_ledger.read_log(reach, story)
    gather_ledger.read_audits(reach, story)
    gather_stripe.read_endpoints(reach, story)
    others = [ref for row in story.sibling_rows for ref in row.references if ref[:3] == "pi_"]
    gather_stripe.read_siblings(reach, story, list(dict.fromkeys(others)))
    gather_redis.read_keys(reach, story)
    gather_redis.read_breakers(reach, story)
    story.unseen = reach.unseen
    return story


def gather_last(reach: Reach, story: Story) -> None:
    """What has no say in whether the sides agree: asked for with what is left of the budget."""
    gather_stripe.read_payouts(reach, story)
    story.clocks = dict(reach.clocks)
    story.unseen = reach.unseen


def _stripe_objects(reach: Reach, story: Story, subject: Subject) -> None:
    if subject.charge is not None:
        gather_stripe.read_charge(reach, story, subject.charge)
    elif subject.intent and not subject.absent:
        gather_stripe.read_intent(reach, story, subject.intent)
    elif subject.session is not None:
        story.stripe_seen = True


def _uses_sessions(reach: Reach) -> bool:
    return any(
        one.columns.session_ref or one.references.session_local_id
        for one in gather_ledger.ledgers(reach).values()
    )


def named_at_stripe(reach: Reach, rows: tuple[LedgerRow, ...]) -> Subject:
    """The subject of a row: what it names at Stripe, asked for where its kind needs it."""
    row = rows[0]
    for reference in row.references:
        prefix = reference.partition("_")[0]
        try:
            if prefix in ("ch", "py"):
                found = reach.stripe("the charge", path_of("charges", reference), ChargeObject)
                if found is not None:
                    intent = id_of(found.payment_intent)
                    if intent:
                        return Subject(intent, rows=rows)
                    return Subject(charge=found, rows=rows)
            elif prefix == "cs":
                session = reach.stripe(
                    "the Checkout Session",
                    path_of("checkout/sessions", reference),
                    SessionObject,
                )
                if session is not None:
                    intent = id_of(session.payment_intent)
                    return Subject(intent, session=session, rows=rows)
            else:
                return Subject(reference, rows=rows)
        except SourceError as error:
            return Subject(
                rows=rows, absent=reference, other_mode=gather_stripe.in_other_mode(error)
            )
    return Subject(rows=rows)
