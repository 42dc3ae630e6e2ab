"""Why do banks decline, and are it more than usual?"""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.payments.declines import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from stripe_answers import FakeStripe, listed
from tools import (
    LEDGER,
    NOW,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
    outcome,
    settings,
)

COLUMNS: Any = LEDGER["columns"]
WITH_CODES = settings(
    ledgers={"payments": {**LEDGER, "columns": {**COLUMNS, "failure_code": "code"}}}
)
WITHOUT = settings(ledgers={"payments": LEDGER})
INTENTS = "/v1/payment_intents"


def facts(attempts: int, declined: int, cards: int | None = None, **more: Any) -> Facts:
    codes = {"insufficient_funds": declined} if declined else {}
    return Facts(NOW, 3600, "postgres", attempts, codes, cards=cards, **more)


@pytest.mark.parametrize(
    ("attempts", "declined", "cards", "status"),
    [
        (0, 0, 0, "OK"),
        (100, 0, None, "OK"),
        (100, 40, None, "OK"),
        (1000, 401, None, "WARN"),
        (100, 60, None, "WARN"),
        (1000, 601, None, "CRIT"),
        (10, 7, None, "CRIT"),
        (9, 7, None, "WARN"),  # too few to be sure
        (2, 1, None, "OK"),  # one customer's bank
        (100, 5, 10, "OK"),
        (100, 5, 11, "WARN"),
        (100, 5, 26, "CRIT"),
    ],
)
def test_around_each_limit(attempts: int, declined: int, cards: int | None, status: str) -> None:
    result = judged(CHECK, facts(attempts, declined, cards))
    assert_is(status, result)
    assert bool(result.actions) == (status != "OK")


def test_each_code_has_the_runbook_s_advice() -> None:
    codes = {"expired_card": 3, "incorrect_cvc": 2, "brand_new_code": 1}
    result = judged(CHECK, Facts(NOW, 3600, "postgres", 100, codes))
    assert_ok(result, "most expired_card: new card details")
    assert [one.what for one in result.evidence] == [
        "3 by expired_card: new card details; clear card data that the shop has cached",
        "2 by incorrect_cvc: enter the security code again, at most 3 times",
        "1 by brand_new_code: another card, or a call to the bank",
    ]
    many = {f"code_{n}": 1 for n in range(15)}
    result = judged(CHECK, Facts(NOW, 3600, "postgres", 100, many))
    assert result.evidence[-1].what == "5 by 5 other codes"


def intent(number: int, code: str = "", card: str = "", status: str = "") -> dict[str, Any]:
    error = {"code": "card_declined", "decline_code": code} if code else None
    if error and card:
        error["payment_method"] = {"card": {"fingerprint": card}}
    return {
        "id": f"pi_{number}",
        "amount": 5,
        "currency": "usd",
        "created": int(NOW.timestamp()) - 60,
        "status": status or ("requires_payment_method" if code else "succeeded"),
        "last_payment_error": error,
    }


SEEN = listed(
    intent(1),
    intent(2, "do_not_honor", "a"),
    intent(3, "do_not_honor", "b"),
    intent(4, "lost_card", "b"),
    intent(5, "do_not_honor", "c", "succeeded"),  # paid with another card in the end
)


def test_gather_takes_the_ledger_s_count_and_stripe_s_cards(postgres: Any) -> None:
    rows = [
        outcome("succeeded", 90),
        outcome("failed", 6, "insufficient_funds"),
        outcome("failed", 3, "api_error"),
        outcome("failed", 1),
    ]
    stripe = FakeStripe({INTENTS: SEEN})
    found = gathered(CHECK, fake_context(WITH_CODES, postgres=postgres(NOW, rows), stripe=stripe))
    assert (found.source, found.attempts) == ("postgres", 100)
    assert found.codes == {"insufficient_funds": 6}
    assert (found.cards, found.at_stripe) == (2, {"do_not_honor": 2, "lost_card": 1})
    assert judged(CHECK, found).evidence[-1].what.endswith("2 do_not_honor, 1 lost_card")
    ((_, params),) = stripe.asked
    assert params["limit"] == 100
    assert params["expand"] == ["data.latest_charge"]


def test_a_bank_s_own_no_is_told_from_a_block_of_stripe_s(postgres: Any) -> None:
    statuses = ["declined_by_network"] * 3 + ["not_sent_to_network", "of_tomorrow", None]
    charges = [
        {"id": f"ch_{n}", "created": 1, "outcome": {"network_status": one} if one else None}
        for n, one in enumerate(statuses)
    ]
    seen = [
        {**intent(n, "do_not_honor", "a"), "latest_charge": one} for n, one in enumerate(charges)
    ]
    seen += [{**intent(8), "latest_charge": charges[3]}, {**intent(9), "latest_charge": "ch_9"}]
    stripe = FakeStripe({INTENTS: listed(*seen)})
    rows = [outcome("succeeded", 90), outcome("failed", 6, "do_not_honor")]
    for asked, ledger in ((WITHOUT, {}), (WITH_CODES, {"postgres": postgres(NOW, rows)})):
        found = gathered(CHECK, fake_context(asked, stripe=stripe, **ledger))
        told = [one.what for one in judged(CHECK, found).evidence]
        assert "3 were refused by the bank itself" in " ".join(told)
        assert "1 never reached the bank: Stripe blocked them" in " ".join(told)
        assert not any("of_tomorrow" in one for one in told)


def test_gather_asks_stripe_where_the_ledger_stores_no_code() -> None:
    found = gathered(CHECK, fake_context(WITHOUT, stripe=FakeStripe({INTENTS: SEEN})))
    assert (found.source, found.attempts, found.declined) == ("stripe", 5, 3)
    result = judged(CHECK, found, rate={"warn": 50})
    assert_warn(result, "3 of 5 payments at Stripe declined", "too few to be sure")
    assert result.source == "stripe"


def test_a_dead_stripe_hides_the_ledger_no_more_than_the_other_way_round(postgres: Any) -> None:
    dead = FakeStripe({INTENTS: Failure.TIMED_OUT})
    rows = [outcome("succeeded", 9), outcome("failed", 1, "expired_card")]
    found = gathered(CHECK, fake_context(WITH_CODES, postgres=postgres(NOW, rows), stripe=dead))
    assert_ok(judged(CHECK, found), "1 of 10", "Stripe was not heard (timed out)")
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(WITHOUT, stripe=dead))
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(WITHOUT))
