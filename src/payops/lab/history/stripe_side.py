"""The stories as Stripe has them: objects as they are now, and events as things were then."""

from __future__ import annotations

from collections.abc import Iterator

from payops.lab.history.payouts import DAY, lines
from payops.lab.history.plan import HistoryPlan
from payops.lab.history.shop import SETTLEMENT_CURRENCY, Decline, Shopper, exchange_rate
from payops.lab.history.story import (
    Happening,
    Line,
    PaymentStory,
    Payout,
    Refund,
    Stories,
    Subject,
)
from payops.lab.stripe import objects
from payops.lab.stripe.objects import StripeObject, derived_token

# Stripe keeps events for 30 days (STRIPE.md, 'Events and webhooks').
EVENTS_KEPT_S = 30 * DAY
_REPORTING_CATEGORIES = {"charge": "charge", "refund": "refund", "adjustment": "dispute"}


def all_objects(plan: HistoryPlan, stories: Stories) -> Iterator[StripeObject]:
    """Every object of the account once, without its events."""
    yield from _the_account(plan, stories)
    yield from _customers(plan, stories)
    payout_of = {line: payout.id for payout in stories.payouts for line in payout.lines}
    for story in stories.payments:
        refunds = len(story.refunds)
        yield intent(plan, story, story.ending.event)
        if plan.style.sessions:
            yield session(plan, story)
        if story.charge is not None:
            yield charge(plan, story, refunds, disputed=story.dispute is not None)
        for told in story.refunds:
            yield refund(plan, story, told)
        if story.dispute is not None:
            yield dispute(plan, story)
        for line in lines(plan, story):
            yield _transaction(plan, story, line, payout_of.get(line.id))
    for paid_out in stories.payouts:
        yield payout(plan, paid_out, arrived=paid_out.paid)
        yield _payout_transaction(paid_out)


def event(plan: HistoryPlan, told: Happening, about: PaymentStory | Payout) -> StripeObject:
    """One event, with the object as it was at that moment."""
    asked = told.asked and isinstance(about, PaymentStory)
    return objects.event(
        id=told.id,
        type=told.type,
        data_object=_subject(plan, told, about),
        created=told.created,
        livemode=plan.livemode,
        pending_webhooks=0,
        request_id=f"req_{derived_token(told.id, 14)}" if asked else None,
        idempotency_key=(about.idempotency_key or None)
        if asked and isinstance(about, PaymentStory)
        else None,
        api_version=plan.api_version,
    )


def _subject(plan: HistoryPlan, told: Happening, about: PaymentStory | Payout) -> StripeObject:
    if isinstance(about, Payout):
        return payout(plan, about, arrived=told.step > 0)
    if told.subject is Subject.INTENT:
        return intent(plan, about, told.type)
    if told.subject is Subject.CHARGE:
        return charge(plan, about, told.step)
    if told.subject is Subject.SESSION:
        return session(plan, about)
    if told.subject is Subject.REFUND:
        return refund(plan, about, about.refunds[told.step - 1])
    return dispute(plan, about)


def intent(plan: HistoryPlan, story: PaymentStory, event_type: str) -> StripeObject:
    """The PaymentIntent as the event of `event_type` showed it; its last event: as it is now."""
    moment = event_type.removeprefix("payment_intent.")
    status = {
        "requires_action": "requires_action",
        "succeeded": "succeeded",
        "canceled": "canceled",
    }.get(moment, "requires_payment_method")
    ended = moment in ("succeeded", "payment_failed", "canceled")
    canceled = moment == "canceled"
    reason = "abandoned" if story.ending.name == "ABANDONED" else "requested_by_customer"
    failed = moment == "payment_failed" and story.decline is not None
    method = story.shopper.payment_method
    return objects.payment_intent(
        id=story.intent,
        amount=story.amount,
        currency=story.currency,
        status=status,
        created=story.created,
        livemode=plan.livemode,
        customer=customer_id(plan, story),
        latest_charge=story.charge if ended else None,
        metadata=plan.style.metadata(story),
        description=_description(plan, story),
        last_payment_error=_error(story, story.decline) if failed and story.decline else None,
        receipt_email=story.shopper.email,
        payment_method=method if status in ("requires_action", "succeeded") else None,
        canceled_at=story.over if canceled else None,
        cancellation_reason=reason if canceled else None,
        next_action=_next_action(story) if status == "requires_action" else None,
    )


def _next_action(story: PaymentStory) -> StripeObject:
    url = f"https://hooks.stripe.com/3d_secure_2/hosted?payment_intent={story.intent}"
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": "https://shop.example.com/return", "url": url},
    }


def _error(story: PaymentStory, decline: Decline) -> StripeObject:
    error = objects.card_error(
        code=decline.code,
        message=decline.message,
        decline_code=decline.decline_code,
        charge=story.charge,
    )
    if not decline.charged:
        # Stripe calls a failed authentication a faulty request; it is the customer's all the same.
        error["type"] = "invalid_request_error"
    return error


def charge(
    plan: HistoryPlan, story: PaymentStory, refunds: int, *, disputed: bool = False
) -> StripeObject:
    """The charge after its first `refunds` refunds."""
    if story.charge is None:
        raise ValueError(f"{story.intent} was never charged")
    decline, shopper = story.decline, story.shopper
    return objects.charge(
        id=story.charge,
        amount=story.amount,
        currency=story.currency,
        status="succeeded" if story.ending.paid else "failed",
        created=story.over,
        livemode=plan.livemode,
        payment_intent=story.intent,
        customer=customer_id(plan, story),
        balance_transaction=story.transaction,
        metadata=plan.style.metadata(story),
        description=_description(plan, story),
        amount_refunded=sum(told.amount for told in story.refunds[:refunds]),
        disputed=disputed,
        failure_code=decline.code if decline else None,
        failure_message=decline.message if decline else None,
        outcome=_declined(decline) if decline else None,
        payment_method=shopper.payment_method,
        card_brand=shopper.card_brand,
        card_last4=shopper.card_last4,
        card_country=shopper.country,
        three_d_secure=_authenticated() if story.ending.authenticated else None,
        billing_email=shopper.email,
        billing_name=shopper.name,
        receipt_email=shopper.email,
    )


def _declined(decline: Decline) -> StripeObject:
    return objects.outcome(
        network_status="declined_by_network",
        type="issuer_declined",
        reason=decline.word,
        seller_message=f"The bank returned the decline code `{decline.word}`.",
        risk_score=20,
    )


def _authenticated() -> StripeObject:
    return {
        "authentication_flow": "challenge",
        "result": "authenticated",
        "result_reason": None,
        "version": "2.2.0",
    }


def refund(plan: HistoryPlan, story: PaymentStory, told: Refund) -> StripeObject:
    """A refund, as it is and always was."""
    return objects.refund(
        id=told.id,
        amount=told.amount,
        currency=story.currency,
        status="succeeded",
        created=told.created,
        charge=story.charge,
        payment_intent=story.intent,
        balance_transaction=told.transaction,
        reason=told.reason,
        metadata=plan.style.refund_metadata(story),
    )


def dispute(plan: HistoryPlan, story: PaymentStory) -> StripeObject:
    """The dispute of the story's charge."""
    told, charged = story.dispute, story.charge
    if told is None or charged is None:
        raise ValueError(f"{story.intent} was never disputed")
    line = next(line for line in lines(plan, story) if line.id == told.transaction)
    return objects.dispute(
        id=told.id,
        amount=story.amount,
        currency=story.currency,
        status=told.status,
        reason=told.reason,
        created=told.created,
        livemode=plan.livemode,
        charge=charged,
        payment_intent=story.intent,
        has_evidence=told.status == "under_review",
        balance_transactions=[_transaction(plan, story, line, None)],
        card_brand=story.shopper.card_brand,
    )


def _transaction(
    plan: HistoryPlan, story: PaymentStory, line: Line, payout_id: str | None
) -> StripeObject:
    made = objects.balance_transaction(
        id=line.id,
        amount=line.cents,
        currency=SETTLEMENT_CURRENCY,
        created=line.created,
        type=line.type,
        source=line.source,
        fee=line.fee,
        status="available" if line.available_on <= plan.last else "pending",
        available_on=line.available_on,
        reporting_category=_REPORTING_CATEGORIES[line.type],
        description=_description(plan, story),
        exchange_rate=exchange_rate(story.currency),
    )
    return _in_payout(made, payout_id)


def _payout_transaction(told: Payout) -> StripeObject:
    made = objects.balance_transaction(
        id=told.transaction,
        amount=-told.cents,
        currency=SETTLEMENT_CURRENCY,
        created=told.created,
        type="payout",
        source=told.id,
        available_on=told.arrival,
        description="STRIPE PAYOUT",
    )
    return _in_payout(made, told.id)


def _in_payout(transaction: StripeObject, payout_id: str | None) -> StripeObject:
    """Not a field of Stripe's: what the simulator's list filters `payout=` by."""
    if payout_id is not None:
        transaction["payout"] = payout_id
    return transaction


def payout(plan: HistoryPlan, told: Payout, *, arrived: bool) -> StripeObject:
    """A payout, on its way or at the bank."""
    return objects.payout(
        id=told.id,
        amount=told.cents,
        currency=SETTLEMENT_CURRENCY,
        status="paid" if arrived else "in_transit",
        created=told.created,
        arrival_date=told.arrival,
        livemode=plan.livemode,
        balance_transaction=told.transaction,
        destination=f"ba_{derived_token(plan.account, 24)}",
    )


def _the_account(plan: HistoryPlan, stories: Stories) -> Iterator[StripeObject]:
    long_ago = plan.first - 500 * DAY
    yield objects.account(id=plan.account, created=long_ago, email="shop@example.com")
    for id_ in plan.style.accounts:
        yield objects.account(id=id_, created=long_ago + DAY, type="express")
    url = plan.webhook_endpoint
    if url and not url.startswith("we_"):
        yield objects.webhook_endpoint(
            id=f"we_{derived_token(plan.account + url, 24)}",
            url=url,
            created=long_ago + DAY,
            livemode=plan.livemode,
            api_version=plan.api_version,
        )
    paid_out = {line for payout in stories.payouts for line in payout.lines}
    available = pending = 0
    for story in stories.payments:
        for line in lines(plan, story):
            if line.available_on > plan.last:
                pending += line.net
            elif line.id not in paid_out:
                available += line.net
    currency = SETTLEMENT_CURRENCY
    yield objects.balance(
        livemode=plan.livemode, available={currency: available}, pending={currency: pending}
    )


def customer_id(plan: HistoryPlan, story: PaymentStory) -> str | None:
    """Stripe's customer who made the payment; None for a guest."""
    match plan.style.customers:
        case "one":
            return story.shopper.id
        case "each time":
            return f"cus_{derived_token(f'customer of {story.intent}', 14)}"
    return None


def _customers(plan: HistoryPlan, stories: Stories) -> Iterator[StripeObject]:
    if plan.style.customers == "one":
        for shopper in stories.shoppers:
            yield _customer(plan, shopper, shopper.id, shopper.created)
    for story in stories.payments if plan.style.customers == "each time" else ():
        id_ = customer_id(plan, story)
        if id_ is not None:
            yield _customer(plan, story.shopper, id_, story.created)


def _customer(plan: HistoryPlan, shopper: Shopper, id_: str, created: int) -> StripeObject:
    return objects.customer(
        id=id_,
        created=created,
        livemode=plan.livemode,
        email=shopper.email,
        name=shopper.name,
        currency=shopper.currency,
    )


def _description(plan: HistoryPlan, story: PaymentStory) -> str | None:
    return f"Order {story.order_id}" if plan.style.described else None


def session_id(plan: HistoryPlan, story: PaymentStory) -> str:
    """The id of the payment's Checkout Session, `cs_test_…` or `cs_live_…`."""
    return f"cs_{'live' if plan.livemode else 'test'}_{derived_token(story.intent, 58)}"


def session(plan: HistoryPlan, story: PaymentStory) -> StripeObject:
    """The payment's Checkout Session as it is now: complete, or expired without being paid."""
    paid = story.ending.paid
    return objects.checkout_session(
        id=session_id(plan, story),
        amount_total=story.amount,
        currency=story.currency,
        status="complete" if paid else "expired",
        payment_status="paid" if paid else "unpaid",
        created=story.created,
        livemode=plan.livemode,
        payment_intent=story.intent,
        customer=customer_id(plan, story),
        customer_email=story.shopper.email,
        metadata=plan.style.session_metadata(story),
    )
