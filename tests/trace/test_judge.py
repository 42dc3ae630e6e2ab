"""One payment is judged as a reconciliation judges it among a million."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from payops.domain.discrepancy import MatchClass
from payops.domain.status import Status
from payops.trace.judge import findings
from payops.trace.story import Story
from reconcile.merchant import NOW, PAYMENTS, Merchant, ledger
from reconcile.test_classes import CASES, WELL, T
from stories import REFERENCES, at, charge, intent, refund, row, session, stories_of, story

# The payment of that refund is not in the merchant's window, and a trace has always asked for it.
_ELSEWHERE = {"refund of an old payment"}
# A reconciliation waits for the grace time; a trace says WARN as soon as it is late.
_LATE_ALREADY = {"young", "charged late"}
# Outside the window of a reconciliation; a trace has none.
_NO_WINDOW = {"outside"}


@pytest.mark.parametrize("name", sorted(set(CASES) - _ELSEWHERE))
def test_each_class_is_named_as_a_reconciliation_names_it(name: str) -> None:
    make, match_class, severity, money = CASES[name]
    merchant = Merchant()
    for _ in range(3):
        merchant.pair(T)
    make(merchant)
    found = [found for one in stories_of(merchant) if (found := findings(one))]
    assert {one[0].match_class.value for one in found} == {match_class}
    first = found[-1][0]
    assert first.severity.value == severity
    assert (first.money.minor if first.money else 0) == (money or 0)
    assert first.at <= NOW
    assert first.facts["class"] == match_class


@pytest.mark.parametrize("name", sorted(set(WELL) - _LATE_ALREADY - _NO_WINDOW))
def test_what_is_well_has_no_finding(name: str) -> None:
    make, _ = WELL[name]
    merchant = Merchant()
    make(merchant)
    assert [findings(one) for one in stories_of(merchant) if findings(one)] == []


def test_within_the_time_of_an_event_nothing_is_wrong_yet() -> None:
    soon = NOW - timedelta(seconds=20)
    merchant = Merchant()
    merchant.pair(soon, "pending")
    merchant.intent(soon)
    assert [findings(one) for one in stories_of(merchant) if findings(one)] == []


def changed(**changes: Any) -> Story:
    return story(**changes)


# what is wrong: the class, and when the sides parted (seconds after the intent was made)
MOMENTS: dict[str, tuple[Story, str, float]] = {
    "pending, and charged": (changed(rows=(row(status="pending"),)), "status_mismatch", 1),
    "paid, and declined": (
        changed(
            intent=intent(status="requires_payment_method", amount_received=0),
            charges=(charge(status="failed", amount_captured=0),),
        ),
        "status_mismatch",
        2,  # when the row said so
    ),
    "pending, and canceled": (
        changed(
            intent=intent(
                status="canceled", amount_received=0, canceled_at=at(600).timestamp().__int__()
            ),
            charges=(),
            rows=(row(status="pending"),),
        ),
        "status_mismatch",
        600,
    ),
    "a refund that nobody recorded": (
        changed(charges=(charge(amount_refunded=500),), refunds=(refund(),)),
        "refund_missing",
        3600,
    ),
    "another amount": (changed(rows=(row(amount="1500"),)), "amount_mismatch", 0),
    "no row": (changed(rows=()), "missing_in_ledger", 1),
    "a fee": (
        changed(
            rows=(
                row(ledger(PAYMENTS, references=REFERENCES, columns=PAYMENTS["columns"]), fee="50"),
            ),
            maps_fee=True,
            charges=(
                charge(
                    balance_transaction={
                        "id": "txn_1", "amount": 1999, "created": int(at(5).timestamp()),
                        "currency": "usd", "fee": 88, "net": 1911,
                        "available_on": int(at(86400).timestamp()),
                    }
                ),
            ),
        ),
        "fee_mismatch",
        5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MOMENTS)
def test_the_moment_at_which_the_sides_part(name: str) -> None:
    told, match_class, seconds = MOMENTS[name]
    first = findings(told)[0]
    assert (first.match_class.value, first.at) == (match_class, at(seconds))


def test_of_several_the_earliest_is_first() -> None:
    told = story(
        rows=(row(status="pending"),),
        charges=(charge(amount_refunded=500),),
        refunds=(refund(),),
    )
    classes = [one.match_class for one in findings(told)]
    assert classes == [MatchClass.STATUS_MISMATCH, MatchClass.REFUND_MISSING]


@pytest.mark.parametrize(
    "blind",
    [
        {"ledger_seen": False, "rows": ()},
        {"intent": None, "charges": (), "events": (), "stripe_seen": False},
        {"refunds_seen": False, "charges": (charge(amount_refunded=500),)},
    ],
)
def test_what_was_not_seen_is_no_finding(blind: dict[str, Any]) -> None:
    assert findings(story(**blind)) == []


def test_an_object_of_the_other_mode() -> None:
    told = story(intent=None, charges=(), events=(), absent="pi_1", other_mode=True)
    (first,) = findings(told)
    assert first.match_class is MatchClass.LIVEMODE_OR_ACCOUNT_MISMATCH
    assert "is of test mode, and the key is a live key" in first.sentence


def test_a_session_that_nobody_paid_and_a_row_that_says_paid() -> None:
    told = story(
        intent=None,
        charges=(),
        events=(),
        sessions=(session(status="open", payment_status="unpaid", payment_intent=None),),
    )
    (first,) = findings(told)
    assert (first.match_class, first.severity) == (MatchClass.STATUS_MISMATCH, Status.CRIT)


def test_cents_that_are_cut_are_no_finding_where_that_is_known() -> None:
    cut = ledger(PAYMENTS, references=REFERENCES, truncated_cents=True)
    assert findings(story(rows=(row(cut, amount="2000"),))) == []
    assert findings(story(rows=(row(amount="2000"),)))[0].match_class is MatchClass.AMOUNT_MISMATCH


def test_a_refund_on_its_way_is_waited_for() -> None:
    told = story(refunds=(refund(status="pending"),), refund_rows=())
    assert [one.match_class for one in findings(told)] == [MatchClass.REFUND_MISSING]
    recorded = row(name="refunds", key="r-1", status="pending", amount="500", processor_ref="re_1")
    assert findings(replace(told, refund_rows=(recorded,))) == []
