"""A payout against its lines: sums, both signs, what cannot be told, what no ledger knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.money import Money
from payops.reconcile.payouts import Line, Payout, by_category, hold_against_lines, not_recorded

PAYOUT = Payout(
    id="po_1",
    minor=0,
    currency="usd",
    status="paid",
    automatic=True,
    reconciliation_status="completed",
    created=datetime(2026, 2, 11, tzinfo=UTC),
    arrives=datetime(2026, 2, 12, tzinfo=UTC),
)


def line(category: str, amount: int, fee: int = 0, **more: str) -> Line:
    id_ = more.pop("id", f"txn_{category}_{amount}")
    return Line(id_, category, amount, fee, amount - fee, "usd", **more)


CHARGE = line("charge", 2000, 88, source="ch_1", payment_intent="pi_1")
REFUND = line("refund", -500, source="re_1")
DISPUTE = line("dispute", -2000, 1500, source="dp_1")
ITSELF = line("payout", -1412)


def test_a_payout_that_agrees_with_its_lines() -> None:
    found = hold_against_lines(replace(PAYOUT, minor=1412), [CHARGE, REFUND, ITSELF])
    assert found.difference == 0
    assert found.agrees
    assert found.money is None
    assert {name: sums.net for name, sums in found.categories.items()} == {
        "charge": 1912,
        "refund": -500,
    }
    assert found.categories["charge"].fee == 88


@pytest.mark.parametrize("off_by", [-1, 1, -100_000])
def test_a_difference_of_either_sign_is_a_finding(off_by: int) -> None:
    found = hold_against_lines(replace(PAYOUT, minor=1412 + off_by), [CHARGE, REFUND, ITSELF])
    assert found.difference == off_by
    assert found.money == Money("usd", off_by)
    assert not found.agrees


def test_a_negative_payout_takes_money_back() -> None:
    found = hold_against_lines(replace(PAYOUT, minor=-3500), [DISPUTE])
    assert found.agrees


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"automatic": False}, "not an automatic payout"),
        ({"reconciliation_status": "in_progress"}, "in_progress"),
        ({"reconciliation_status": ""}, "not offered"),
        ({"status": "failed"}, "came back"),
        ({"status": "canceled"}, "came back"),
    ],
)
def test_of_what_cannot_be_taken_apart_nothing_is_claimed(
    changed: dict[str, object], words: str
) -> None:
    found = hold_against_lines(replace(PAYOUT, minor=7, **changed), [CHARGE])
    assert found.difference is None
    assert words in found.why_not
    assert found.agrees


def test_a_line_whose_net_is_not_amount_less_fee_is_named() -> None:
    odd = replace(CHARGE, net=CHARGE.net + 1)
    found = hold_against_lines(replace(PAYOUT, minor=odd.net), [odd])
    assert found.broken == (odd.id,)
    assert not found.agrees


def test_a_line_in_another_currency_is_named() -> None:
    foreign = replace(CHARGE, currency="eur")
    found = hold_against_lines(replace(PAYOUT, minor=foreign.net), [foreign])
    assert found.strangers == (foreign.id,)
    assert not found.agrees


def test_lines_that_no_ledger_knows() -> None:
    lines = [CHARGE, REFUND, DISPUTE, line("charge", 5, source="ch_2", payment_intent="pi_2")]
    known: dict[str, set[str] | None] = {"charge": {"pi_1"}, "refund": set()}
    assert [missing.source for missing in not_recorded(lines, known)] == ["re_1", "ch_2"]
    assert not_recorded(lines, {"charge": None}) == ()
    without = line("charge", 9, source="py_legacy")  # names no intent: nothing to ask for
    assert not_recorded([without], known) == ()


@given(
    st.lists(st.tuples(st.sampled_from(["charge", "refund", "fee"]), st.integers(), st.integers()))
)
def test_categories_add_up_to_the_whole(rows: list[tuple[str, int, int]]) -> None:
    lines = [line(category, amount, fee) for category, amount, fee in rows]
    sums = by_category(lines).values()
    assert sum(one.count for one in sums) == len(lines)
    assert sum(one.net for one in sums) == sum(one.net for one in lines)
    assert (
        hold_against_lines(replace(PAYOUT, minor=sum(one.net for one in lines)), lines).difference
        == 0
    )
