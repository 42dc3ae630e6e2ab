"""What the ledger's rows show of events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from payops.domain.money import Money
from payops.domain.payment import PaymentStatus as Word
from payops.domain.webhook import Moved, PathEvent
from payops.webhooks.ledger import Row, judge_payments, judge_refunds
from payops.webhooks.told import money_told
from webhooks.paths import event

ALL_WORDS = frozenset(Word)


@pytest.mark.parametrize(
    ("type_", "word", "moved"),
    [
        ("payment_intent.succeeded", Word.SUCCEEDED, Moved.YES),
        ("payment_intent.succeeded", Word.REFUNDED, Moved.YES),
        ("payment_intent.succeeded", Word.DISPUTED, Moved.YES),
        ("payment_intent.succeeded", Word.PENDING, Moved.NO),
        ("payment_intent.succeeded", Word.FAILED, Moved.NO),
        ("payment_intent.succeeded", Word.CANCELED, Moved.NO),
        ("payment_intent.payment_failed", Word.REQUIRES_ACTION, Moved.NO),
        ("payment_intent.payment_failed", Word.SUCCEEDED, Moved.YES),
        ("payment_intent.processing", Word.FAILED, Moved.YES),
        ("charge.refunded", Word.SUCCEEDED, Moved.NO),
        ("charge.refunded", Word.PARTIALLY_REFUNDED, Moved.YES),
        ("charge.dispute.created", Word.REFUNDED, Moved.YES),
        ("charge.dispute.created", Word.SUCCEEDED, Moved.NO),
        ("payment_intent.created", Word.PENDING, Moved.NOT_TOLD),
        ("payment_intent.succeeded", None, Moved.NOT_TOLD),
    ],
)
def test_a_row_shows_a_state_or_a_later_one(type_: str, word: Word | None, moved: Moved) -> None:
    one = event(type=type_)
    found = judge_payments([one], {one.id: (Row("1", word),)}, ALL_WORDS)
    assert found[one.id].moved is moved


@pytest.mark.parametrize(
    ("whole", "word", "moved"),
    [
        (True, Word.PARTIALLY_REFUNDED, Moved.NO),
        (True, Word.REFUNDED, Moved.YES),
        (False, Word.PARTIALLY_REFUNDED, Moved.YES),
        (False, Word.REFUNDED, Moved.YES),
    ],
)
def test_a_first_part_does_not_show_the_rest(whole: bool, word: Word, moved: Moved) -> None:
    one = event(type="charge.refunded", refunded=whole)
    found = judge_payments([one], {one.id: (Row("1", word),)}, ALL_WORDS)
    assert found[one.id].moved is moved


def test_no_row() -> None:
    assert judge_payments([event()], {}, ALL_WORDS)["evt_1"].moved is Moved.NO_ROW


def test_a_word_that_the_ledger_lacks_is_not_told() -> None:
    one = event(type="payment_intent.canceled")
    rows = {one.id: (Row("1", Word.PENDING),)}
    assert judge_payments([one], rows, frozenset({Word.PENDING}))[one.id].moved is Moved.NOT_TOLD


def test_a_newer_event_takes_an_older_ones_place() -> None:
    """The customer tried again after a failure, and is asked for more."""
    failed = event("evt_1", age=100, type="payment_intent.payment_failed", payment_intent="pi_1")
    again = event("evt_2", age=90, type="payment_intent.requires_action", payment_intent="pi_1")
    row = (Row("1", Word.REQUIRES_ACTION),)
    rows = {"evt_1": row, "evt_2": row}
    found = judge_payments([failed, again], rows, ALL_WORDS)
    assert [each.moved for each in found.values()] == [Moved.YES, Moved.YES]
    assert judge_payments([failed], rows, ALL_WORDS)["evt_1"].moved is Moved.NO


def test_a_lost_end_is_one_loss_and_its_steps_are_none() -> None:
    step = event("evt_1", age=100, type="payment_intent.requires_action", payment_intent="pi_1")
    end = event("evt_2", age=90, payment_intent="pi_1")
    row = (Row("1", Word.PENDING),)
    rows = {"evt_1": row, "evt_2": row}
    found = judge_payments([step, end], rows, ALL_WORDS)
    assert found["evt_1"].moved is Moved.NOT_TOLD
    assert found["evt_2"].moved is Moved.NO
    assert judge_payments([step], rows, ALL_WORDS)["evt_1"].moved is Moved.NO


@pytest.mark.parametrize(
    ("type_", "status", "word", "moved"),
    [
        ("refund.created", "succeeded", Word.PENDING, Moved.YES),
        ("refund.updated", "succeeded", Word.PENDING, Moved.NO),
        ("refund.updated", "succeeded", Word.SUCCEEDED, Moved.YES),
        ("refund.updated", "succeeded", Word.FAILED, Moved.YES),
        ("refund.updated", "pending", Word.PENDING, Moved.YES),
        ("refund.failed", "failed", Word.SUCCEEDED, Moved.NO),
        ("refund.failed", "failed", Word.FAILED, Moved.YES),
    ],
)
def test_refunds(type_: str, status: str, word: Word, moved: Moved) -> None:
    one = event(type=type_, object_id="re_1", object_status=status)
    found = judge_refunds([one], {one.id: (Row("1", word),)}, ALL_WORDS)
    assert found[one.id].moved is moved


def test_a_failed_refund_that_nobody_recorded_is_nothing_to_be_put_right() -> None:
    made = event("evt_1", type="refund.created", object_status="succeeded")
    failed = event("evt_2", type="refund.failed", object_status="failed")
    found = judge_refunds([made, failed], {}, ALL_WORDS)
    assert found["evt_1"].moved is Moved.NO_ROW
    assert found["evt_2"].moved is Moved.NOT_TOLD


def refund(id_: str, minor: int, currency: str = "usd", type_: str = "refund.created") -> PathEvent:
    amount = Money(currency, minor)
    return event(id_, type=type_, object_id=f"re_{id_}", payment_intent="pi_1", amount=amount)


@pytest.mark.parametrize(
    ("events", "minor"),
    [
        ([refund("a", 500), refund("b", 1000)], 1500),
        ([refund("a", 500), refund("a", 500)], 500),  # told twice, given back once
        ([refund("c", 2000, type_="charge.refunded"), refund("a", 500), refund("b", 700)], 1200),
        ([refund("c", 2000, type_="charge.refunded")], 2000),
    ],
)
def test_refunds_of_one_payment_are_added_up(events: list[PathEvent], minor: int) -> None:
    assert money_told(events) == {"refunded pi_1": Money("usd", minor)}
    assert money_told(reversed(events)) == money_told(events)


def test_money_is_told_once_and_what_tells_of_none_is_left_out() -> None:
    paid = event("1", payment_intent="pi_1", amount=Money("jpy", 7))
    session = event("2", type="checkout.session.completed", payment_intent="pi_1")
    empty = event("3", payment_intent="pi_3", amount=None)
    other = event("4", type="payment_intent.created")
    session = replace(session, amount=Money("jpy", 7))
    assert money_told([paid, session, empty, other]) == {"paid pi_1": Money("jpy", 7)}
    mixed = [refund("a", 1), refund("b", 1, "eur")]
    assert money_told(mixed) == {}
