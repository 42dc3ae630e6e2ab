"""Payments that wait for the customer's bank for longer than anybody takes."""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.payments.requires_action import CHECK, Facts, Waiting
from payops.domain.money import Money
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.ledger import OpenPayment, OpenPayments
from stripe_answers import FakeStripe, listed
from tools import (
    LEDGER,
    NOW,
    assert_is,
    assert_money,
    assert_ok,
    before,
    fake_context,
    gathered,
    judged,
    money,
    settings,
)

STATUSES: Any = LEDGER["statuses"]
MAPPED = settings(
    ledgers={"payments": {**LEDGER, "statuses": {**STATUSES, "requires_action": ["3ds"]}}}
)
BARE = settings(ledgers={"payments": LEDGER})
INTENTS = "/v1/payment_intents"


def facts(ledger: int | None, stripe: int | None, minutes: float = 15, **more: Any) -> Facts:
    rows = (Waiting("pi_1", before(minutes=minutes)),) if ledger or stripe else ()
    return Facts(NOW, 3600, ledger, stripe, more.pop("money", ()), rows, **more)


@pytest.mark.parametrize(
    ("ledger", "stripe", "status", "word"),
    [
        (0, 0, "OK", "no payment of the last hour waits too long"),
        (1, None, "OK", "1 payment of the last hour waits"),
        (2, 2, "OK", "customers who went away"),
        (3, 2, "WARN", "(ledger 3, Stripe's newest 2)"),
        (None, 10, "WARN", "10 payments"),
        (0, 11, "CRIT", "the oldest for 15 min"),
    ],
)
def test_around_each_limit(ledger: int | None, stripe: int | None, status: str, word: str) -> None:
    result = judged(CHECK, facts(ledger, stripe))
    assert_is(status, result, word)
    assert bool(result.actions) == (status != "OK")


def test_one_that_waits_for_too_long_by_the_configuration() -> None:
    assert_is("CRIT", judged(CHECK, facts(1, 1, 21), age={"crit": "20m"}))
    assert_is("OK", judged(CHECK, facts(1, 1, 20), age={"crit": "20m"}))


def intent(number: int, minutes: float, status: str = "requires_action") -> dict[str, Any]:
    created = int(before(minutes=minutes).timestamp())
    return {"id": f"pi_{number}", "amount": 700, "currency": "usd", "created": created,
            "status": status}  # fmt: skip


def test_gather_holds_both_sides_side_by_side(postgres: Any) -> None:
    seen = listed(intent(1, 11), intent(2, 10), intent(3, 9), intent(4, 30, "succeeded"))
    row = OpenPayment("p1", "pi_1", "3ds", Money("usd", 700), before(minutes=11))
    found_open = OpenPayments(3, before(minutes=11), (money("usd", 2100, 3),), 0, 0, (row,), NOW)
    fake = postgres(NOW, open=found_open)
    ctx = fake_context(MAPPED, postgres=fake, stripe=FakeStripe({INTENTS: seen}))
    found = gathered(CHECK, ctx)
    assert (found.ledger, found.stripe, found.count) == (3, 2, 3)
    assert fake.asked["older_than"] == before(minutes=10)
    assert fake.asked["newer_than"] == before(hours=1)
    assert_money(judged(CHECK, found), "21.00 USD (3)")
    alone = gathered(CHECK, fake_context(BARE, stripe=FakeStripe({INTENTS: seen})))
    assert (alone.ledger, alone.stripe) == (None, 2)
    assert_money(judged(CHECK, alone), "14.00 USD (2)")


def test_a_dead_stripe_is_told_beside_the_ledger(postgres: Any) -> None:
    dead = FakeStripe({INTENTS: Failure.TIMED_OUT})
    found = gathered(CHECK, fake_context(MAPPED, postgres=postgres(NOW), stripe=dead))
    assert_ok(judged(CHECK, found), "Stripe was not heard (timed out)")
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(BARE, stripe=dead))
    with pytest.raises(NotConfiguredError, match="switched off"):
        gathered(CHECK, fake_context(BARE), age={"warn": None})
