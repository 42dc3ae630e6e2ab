"""The stories: what happened to each payment, before anybody wrote it down."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from payops.lab.history.endings import Ending, Endings
from payops.lab.history.history import History
from payops.lab.history.payouts import pay_out
from payops.lab.history.plan import HistoryPlan, moments
from payops.lab.history.shop import (
    AUTHENTICATION_FAILED,
    DECLINES,
    Decline,
    Shopper,
    price,
    round_to_step,
    settled,
    shoppers,
)
from payops.lab.history.story import (
    Dispute,
    Happening,
    PaymentStory,
    Refund,
    Stories,
    Subject,
    happening,
)
from payops.lab.history.style import Style
from payops.lab.stripe.objects import new_id


def tell(plan: HistoryPlan) -> History:
    """The history of `plan`: deterministic, and about 0.1 ms a payment."""
    return History.of(plan, tell_stories(plan))


def tell_stories(plan: HistoryPlan) -> Stories:
    """The stories of `plan`; the same plan always gives the same ones."""
    rng = random.Random(plan.seed)
    people = shoppers(max(4, plan.payments // 3), plan.first, rng, plan.style.currencies)
    endings = Endings(plan, rng)
    times = moments(plan, rng)
    payments = tuple(
        _payment(plan, number, created, rng.choice(people), endings.next(created), rng)
        for number, created in enumerate(times)
    )
    return Stories(tuple(people), payments, tuple(pay_out(plan, payments, rng)))


def _payment(
    plan: HistoryPlan,
    number: int,
    created: int,
    shopper: Shopper,
    ending: Ending,
    rng: random.Random,
) -> PaymentStory:
    payment_id = UUID(int=rng.getrandbits(128), version=4)
    order_id = f"order-{100_001 + number}"
    amount = plan.style.charged(price(shopper.currency, rng), payment_id)
    acted = created + 1 if ending.authenticated else None
    over = created + (1 if acted is None else ending.patience(rng))
    decline = _decline(ending, rng)
    charged = ending.paid or (decline is not None and decline.charged)
    refunds = tuple(_refunds(plan, ending, amount, shopper.currency, over, rng))
    dispute = _dispute(plan, over, rng) if ending is Ending.DISPUTED else None
    return PaymentStory(
        payment_id=payment_id,
        order_id=order_id,
        idempotency_key=plan.style.idempotency_key(order_id, payment_id),
        shopper=shopper,
        amount=amount,
        currency=shopper.currency,
        cents=settled(amount, shopper.currency),
        ending=ending,
        intent=new_id("pi", rng),
        charge=new_id("ch", rng) if charged else None,
        transaction=new_id("txn", rng) if ending.paid else None,
        row_created_at=datetime.fromtimestamp(created, UTC)
        - timedelta(milliseconds=rng.randint(60, 700)),
        created=created,
        acted=acted,
        over=over,
        decline=decline,
        refunds=refunds,
        dispute=dispute,
        events=tuple(
            _events(ending, created, acted, over, charged, refunds, dispute, plan.style, rng)
        ),
    )


def _decline(ending: Ending, rng: random.Random) -> Decline | None:
    if ending is Ending.DECLINED:
        return rng.choice(DECLINES)
    return AUTHENTICATION_FAILED if ending is Ending.AUTHENTICATION_FAILED else None


def _refunds(
    plan: HistoryPlan,
    ending: Ending,
    amount: int,
    currency: str,
    paid: int,
    rng: random.Random,
) -> list[Refund]:
    """One or two refunds: of everything, or of 10 to 80 % of it."""
    if not ending.refunded:
        return []
    whole = ending is Ending.REFUNDED
    total = amount if whole else round_to_step(int(amount * rng.uniform(0.1, 0.8)), currency)
    parts = [total]
    if rng.random() < 0.2:
        first = round_to_step(int(total * rng.uniform(0.2, 0.7)), currency)
        parts = [first, total - first]
    times = sorted(_later(plan, paid, rng) for _ in parts)
    made: list[Refund] = []
    cents_left = settled(amount, currency)
    for part, created in zip(parts, times, strict=True):
        last_of_all = whole and len(made) == len(parts) - 1
        cents = cents_left if last_of_all else min(settled(part, currency), cents_left)
        cents_left -= cents
        made.append(
            Refund(
                id=new_id("re", rng),
                row_id=UUID(int=rng.getrandbits(128), version=4),
                transaction=new_id("txn", rng),
                amount=part,
                cents=cents,
                created=created,
                reason=rng.choice(("requested_by_customer", "requested_by_customer", "duplicate")),
            )
        )
    return made


# A healthy shop has answered a dispute by then; a week is given.
ANSWERED_S = 4 * 86_400


def _dispute(plan: HistoryPlan, paid: int, rng: random.Random) -> Dispute:
    told = Dispute(
        id=new_id("dp", rng),
        transaction=new_id("txn", rng),
        created=_later(plan, paid, rng),
        reason=rng.choice(("fraudulent", "product_not_received", "duplicate", "general")),
        status=rng.choice(("needs_response", "under_review")),
    )
    if plan.last - told.created > ANSWERED_S:
        return replace(told, status="under_review")
    return told


def _later(plan: HistoryPlan, paid: int, rng: random.Random) -> int:
    """A second between 10 minutes after `paid` and the end of the history."""
    earliest = paid + 600
    return earliest + int((plan.last - earliest) * rng.random() ** 2)


def _events(
    ending: Ending,
    created: int,
    acted: int | None,
    over: int,
    charged: bool,
    refunds: Sequence[Refund],
    dispute: Dispute | None,
    style: Style,
    rng: random.Random,
) -> list[Happening]:
    """What Stripe said of the payment, in the order in which it said it."""
    intent, charge = Subject.INTENT, Subject.CHARGE
    asked = acted is None
    told = [happening(rng, "payment_intent.created", intent, created, asked=True)]
    if acted is not None:
        told.append(happening(rng, "payment_intent.requires_action", intent, acted, asked=True))
    if charged:
        outcome = "charge.succeeded" if ending.paid else "charge.failed"
        told.append(happening(rng, outcome, charge, over, asked=asked))
    told.append(happening(rng, ending.event, intent, over, asked=asked and ending.at_once))
    if style.sessions and ending.paid:
        told.append(happening(rng, "checkout.session.completed", Subject.SESSION, over))
    for step, refund in enumerate(refunds, start=1):
        told.append(happening(rng, "refund.created", Subject.REFUND, refund.created, step))
        told.append(happening(rng, "charge.refunded", charge, refund.created, step))
    if dispute is not None:
        for type_ in ("charge.dispute.created", "charge.dispute.funds_withdrawn"):
            told.append(happening(rng, type_, Subject.DISPUTE, dispute.created))
    return told
