"""One clock, one order, one account."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.money import Money
from payops.domain.timeline import (
    Clock,
    Entry,
    Happened,
    Move,
    Rank,
    balances,
    kept,
    on_our_clock,
    ordered,
)

NOON = datetime(2026, 2, 11, 12, tzinfo=UTC)


def entry(seconds: float, rank: Rank = Rank.EVENT, *moves: Move, **changes: object) -> Entry:
    return Entry(
        NOON + timedelta(seconds=seconds),
        "stripe",
        "kind",
        "what",
        rank,
        moves=moves,
        **changes,  # type: ignore[arg-type]
    )


def test_within_one_second_the_order_of_cause_holds() -> None:
    row = entry(0.9, Rank.ROW)
    asked, charge, event = entry(0, Rank.ASKED), entry(0, Rank.CHARGE), entry(0, Rank.EVENT)
    received, handled = entry(0.4, Rank.RECEIVED), entry(0.3, Rank.HANDLED)
    told = [handled, event, row, received, charge, asked]
    assert ordered(told) == (row, asked, charge, event, received, handled)


def test_a_later_second_comes_later_whatever_its_cause() -> None:
    assert ordered([entry(1, Rank.KEY), entry(0.999, Rank.NOW)])[0].rank is Rank.NOW


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(list(Rank)), st.text(max_size=3)), max_size=12
    ),
    st.randoms(),
)
def test_the_order_does_not_depend_on_who_was_asked_first(
    told: list[tuple[int, Rank, str]], rng: random.Random
) -> None:
    entries = [entry(at / 2, rank, id=id_) for at, rank, id_ in told]
    shuffled = entries[:]
    rng.shuffle(shuffled)
    assert ordered(entries) == ordered(shuffled)


@pytest.mark.parametrize(
    ("told_s", "asked_s", "answered_s", "step", "skewed"),
    [
        (0, 0, 0.2, 0.0, False),
        (0, 0.9, 1.0, 1.0, False),  # the header says 12:00:00 until 12:00:01
        (90, 0, 0.2, 1.0, True),
        (-5, 0, 0.2, 0.0, True),
        (1.5, 0, 3.0, 0.0, False),  # a slow answer proves nothing
    ],
)
def test_a_clock_is_skewed_only_beyond_what_its_measurement_leaves_open(
    told_s: float, asked_s: float, answered_s: float, step: float, skewed: bool
) -> None:
    times = [NOON + timedelta(seconds=each) for each in (told_s, asked_s, answered_s)]
    clock = Clock.between("stripe", *times, step_s=step)
    assert clock.skewed is skewed
    least, most = clock.offset_s - clock.within_s, clock.offset_s + clock.within_s
    assert least - 1e-9 <= told_s - answered_s + step
    assert most + 1e-9 >= told_s - asked_s


def test_a_skewed_clocks_times_are_moved_to_ours() -> None:
    one = entry(90)
    moved = on_our_clock(one, {"stripe": Clock("stripe", 90, 0.5)})
    assert (moved.at, moved.told_at) == (NOON, one.at)
    assert on_our_clock(one, {"stripe": Clock("stripe", 0.4, 0.5)}) == one
    assert on_our_clock(one, {}) == one
    due = entry(90, happened=Happened.MISSING)
    assert on_our_clock(due, {"stripe": Clock("stripe", 90, 0.5)}) == due


def test_the_account_runs_beside_the_story() -> None:
    usd, eur = Money("usd", 1999), Money("eur", 1800)
    entries = [
        entry(0),
        entry(1, Rank.CHARGE, Move("captured", usd)),
        entry(2, Rank.MONEY, Move("fee", Money("eur", 70)), Move("net", Money("eur", 1730))),
        entry(3, Rank.CHARGE, Move("refunded", Money("usd", 500))),
        entry(4, Rank.EXPECTED, Move("refunded", eur), happened=Happened.DUE),
    ]
    after = balances(entries)
    assert after[0] == {}
    assert after[1] == {"usd": {"captured": 1999}}
    assert after[-1] == {
        "usd": {"captured": 1999, "refunded": 500},
        "eur": {"fee": 70, "net": 1730},
    }
    assert kept(after[-1]) == (Money("usd", 1499),)
    assert kept(after[0]) == ()
