"""What the checks ask Stripe: each question once a run, whoever needs the answer.

`payops health` has to cost the account a handful of requests, not one for every check.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from payops.checks.contract import Context
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.stripe import Answer
from payops.sources.stripe_objects import Account
from payops.sources.stripe_standing import (
    Balance,
    CaptureEvent,
    Dispute,
    FraudWarning,
    Page,
    Payout,
    RecentIntent,
)

T = TypeVar("T")

# One page is enough to call it an incident, and cheap enough for one.
PAGE = 100
PAYOUTS = 10
# Stripe's longest authorization of an online card payment (docs, 'Place a hold').
AUTHORIZED = timedelta(days=7)
DISPUTES_BACK = timedelta(days=30)
CAPTURES = (
    "payment_intent.amount_capturable_updated",
    "charge.captured",
    "charge.expired",
    "payment_intent.canceled",
)


def account(ctx: Context) -> Answer[Account]:
    """The account that the key belongs to."""
    return ctx.sources.once("stripe account", ctx.sources.stripe.account)


def connected_account(ctx: Context, id_: str) -> Answer[Account] | None:
    """An account at Connect; None where the key's account is not its platform, or it is gone.

    Raises NotConfiguredError where the key may not read accounts at all.
    """
    try:
        return permitted(lambda: _get(ctx, f"/v1/accounts/{id_}", Account), "Accounts")
    except NotConfiguredError as error:
        cause = error.__cause__
        if isinstance(cause, SourceError) and cause.code == "account_invalid":
            return None
        raise
    except SourceError as error:
        if error.kind is Failure.NOT_FOUND:
            return None
        raise


def balance(ctx: Context) -> Answer[Balance]:
    """What the account has, and owes."""
    return _get(ctx, "/v1/balance", Balance)


def payouts(ctx: Context) -> Answer[Page[Payout]]:
    """The newest payouts."""
    return _get(ctx, "/v1/payouts", Page[Payout], limit=PAYOUTS)


def intents(ctx: Context) -> Answer[Page[RecentIntent]]:
    """The window's newest PaymentIntents, with their charges."""
    return _get(
        ctx,
        "/v1/payment_intents",
        Page[RecentIntent],
        limit=PAGE,
        created={
            "gte": int(ctx.window.since.timestamp()),
            "lt": int(ctx.window.until.timestamp()) + 1,
        },
        expand=["data.latest_charge"],
    )


def disputes(ctx: Context) -> Answer[Page[Dispute]]:
    """The disputes of the last 30 days."""
    return _get(ctx, "/v1/disputes", Page[Dispute], limit=PAGE, created=_since(ctx, DISPUTES_BACK))


def fraud_warnings(ctx: Context, back: timedelta) -> Answer[Page[FraudWarning]]:
    """Early fraud warnings."""
    return _get(
        ctx,
        "/v1/radar/early_fraud_warnings",
        Page[FraudWarning],
        limit=PAGE,
        created=_since(ctx, back),
    )


def captures(ctx: Context) -> Answer[Page[CaptureEvent]]:
    """What became capturable while an authorization can last, and what came of it."""
    return _get(
        ctx,
        "/v1/events",
        Page[CaptureEvent],
        limit=PAGE,
        types=list(CAPTURES),
        created=_since(ctx, AUTHORIZED),
    )


def newest_event(ctx: Context) -> Answer[Page[CaptureEvent]]:
    """The newest event of any type: it is rendered in the account's own API version."""
    return _get(ctx, "/v1/events", Page[CaptureEvent], limit=1)


def cheap(ctx: Context) -> tuple[Answer[Any], ...]:
    """The answers to the cheap questions that this key may ask.

    Raises SourceError when Stripe does not answer one, or refuses the key.
    """
    found: list[Answer[Any]] = []
    questions: tuple[Callable[[Context], Answer[Any]], ...] = (account, balance, payouts)
    for question in questions:
        try:
            found.append(question(ctx))
        except SourceError as error:
            if error.kind is not Failure.PERMISSION:
                raise
    if not found:
        raise NotConfiguredError(
            "the key may read neither account, balance nor payouts: allow one of them, read only"
        )
    return tuple(found)


def permitted(answer: Callable[[], T], what: str) -> T:
    """The answer; a key that may not read it leaves its check out, with what would let it in.

    Raises NotConfiguredError then, SourceError for whatever else Stripe says.
    """
    try:
        return answer()
    except SourceError as error:
        if error.kind is not Failure.PERMISSION:
            raise
        raise NotConfiguredError(
            f"the key may not read {what}: give it '{what}: read' in the Dashboard "
            "(Developers, API keys)"
        ) from error


def as_of(answer: Answer[Any], ctx: Context) -> datetime:
    """When Stripe said so, by its own clock; ours where it sent none."""
    return answer.date or answer.received or ctx.now


def moment(seconds: int) -> datetime:
    """Stripe's Unix seconds as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def _since(ctx: Context, back: timedelta) -> dict[str, int]:
    return {"gte": int((ctx.now - back).timestamp())}


def _get(ctx: Context, path: str, into: type[T], **params: Any) -> Answer[T]:
    stripe = ctx.sources.stripe
    key = ("stripe", path, params.get("limit"))
    return ctx.sources.once(key, lambda: stripe.get(path, into, **params))
