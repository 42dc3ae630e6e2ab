"""The daily payouts, and which balance transactions each of them pays."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from payops.lab.history.plan import HistoryPlan
from payops.lab.history.shop import DISPUTE_FEE, fee
from payops.lab.history.story import Line, PaymentStory, Payout, Subject, happening
from payops.lab.stripe.objects import new_id

DAY = 86_400


def lines(plan: HistoryPlan, story: PaymentStory) -> Iterator[Line]:
    """The balance transactions of one payment, oldest first.

    What is given back becomes available as late as what is taken, so that the balance of a healthy
    shop never goes below zero.
    """
    if story.charge is None or story.transaction is None:
        return

    def line(id: str, type: str, source: str, cents: int, fee: int, created: int) -> Line:
        available = (created // DAY + settlement_days(plan)) * DAY
        return Line(id, type, source, cents, fee, created, available)

    charged = fee(story.cents, story.currency)
    yield line(story.transaction, "charge", story.charge, story.cents, charged, story.over)
    for refund in story.refunds:
        yield line(refund.transaction, "refund", refund.id, -refund.cents, 0, refund.created)
    if story.dispute is not None:
        told = story.dispute
        fee_, created = DISPUTE_FEE, told.created
        yield line(told.transaction, "adjustment", told.id, -story.cents, fee_, created)


def settlement_days(plan: HistoryPlan) -> int:
    """Days until a charge can be paid out: two as in the US, one where the window is short."""
    return 2 if plan.since >= timedelta(days=4) else 1


def pay_out(
    plan: HistoryPlan, payments: Sequence[PaymentStory], rng: random.Random
) -> Iterator[Payout]:
    """The payouts of each midnight (UTC) in the window, oldest first.

    Each pays what had become available by then; a midnight with nothing to pay, or with more
    refunds than takings, waits for the next.
    """
    waiting = sorted(
        (line for story in payments for line in lines(plan, story)),
        key=lambda line: (line.available_on, line.id),
    )
    due: list[Line] = []
    cursor = 0
    for midnight in _midnights(plan):
        created = midnight + 300
        while cursor < len(waiting) and waiting[cursor].available_on <= midnight:
            due.append(waiting[cursor])
            cursor += 1
        cents = sum(line.net for line in due)
        if cents <= 0 or created > plan.last:
            continue
        arrival = midnight + DAY
        arrived = arrival + 3 * 3600
        told = [happening(rng, "payout.created", Subject.PAYOUT, created)]
        if arrived <= plan.last:
            told.append(happening(rng, "payout.paid", Subject.PAYOUT, arrived, step=1))
        yield Payout(
            id=new_id("po", rng),
            transaction=new_id("txn", rng),
            cents=cents,
            created=created,
            arrival=arrival,
            paid=arrived <= plan.last,
            lines=frozenset(line.id for line in due),
            events=tuple(told),
        )
        due = []


def _midnights(plan: HistoryPlan) -> Iterable[int]:
    return range((plan.first // DAY + 1) * DAY, plan.last + 1, DAY)
