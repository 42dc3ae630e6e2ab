"""Whatever the order, the files, the copies and the clocks: the same answer, and it adds up."""

from __future__ import annotations

import copy
import random
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payops.domain.discrepancy import MatchClass
from payops.domain.window import Window
from payops.reconcile.totals import ClassTotal
from reconcile.merchant import NOW, WINDOW, Found, Merchant, match, us
from reconcile.test_classes import CASES, WELL

_FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
H = timedelta(hours=1)
_LONELY = {"refund of an old payment"}
_INJECTED = [name for name in CASES if name not in _LONELY]


def injected(names: list[str], well: list[str]) -> Merchant:
    merchant = Merchant()
    for _ in range(20):
        merchant.pair(NOW - 5 * H)
    for name in names:
        CASES[name][0](merchant)
    for name in well:
        WELL[name][0](merchant)
    return merchant


def told(found: Found) -> Counter[tuple[Any, ...]]:
    names = ("class", "key", "id", "refund_id", "severity", "money", "currency", "matched_by")
    return Counter(tuple(row[name] for name in names) for row in found.findings)


def matched(merchant: Merchant, *, files: int = 1, seed: int | None = None) -> Found:
    shuffle = random.Random(seed) if seed is not None else None
    with tempfile.TemporaryDirectory() as folder:
        return match(merchant.write(Path(folder) / "spool", files=files, shuffle=shuffle))


names = st.lists(st.sampled_from(_INJECTED), min_size=1, max_size=12)
well_names = st.lists(st.sampled_from([name for name in WELL if name != "outside"]), max_size=4)


@_FEW
@given(names, well_names, st.integers(1, 7), st.integers(0, 99), st.floats(0, 1))
def test_order_files_and_copies_change_nothing(
    names: list[str], well: list[str], files: int, seed: int, share: float
) -> None:
    merchant = injected(names, well)
    plain = matched(merchant)
    again = copy.deepcopy(merchant)
    rng = random.Random(seed)
    for rows in again.rows.values():
        rows += [dict(row) for row in rows if rng.random() < share]
    other = matched(again, files=files, seed=seed)
    assert told(other) == told(plain)
    assert other.totals == plain.totals


@_FEW
@given(names, st.integers(-3_000, 3_000), st.integers(0, 99))
def test_clocks_that_differ_change_nothing(names: list[str], seconds: int, seed: int) -> None:
    """The ledger's clock is wrong by less than the slack, and nothing lies at an edge."""
    merchant = injected(names, [])
    plain = matched(merchant)
    for kind, rows in merchant.rows.items():
        if kind.startswith("ledger-"):
            for row in rows:
                row["created_us"] += seconds * 1_000_000
    assert told(matched(merchant, seed=seed)) == told(plain)


@_FEW
@given(names, well_names, st.integers(-26, 2), st.integers(1, 30))
def test_totals_add_up_to_both_sides(
    names: list[str], well: list[str], begin_h: int, hours: int
) -> None:
    merchant = injected(names, well)
    window = Window(NOW + begin_h * H, NOW + begin_h * H + hours * H)
    with tempfile.TemporaryDirectory() as folder:
        found = match(merchant.write(Path(folder) / "spool"), window=window)
    totals = found.totals.payments
    assert _side(totals, "stripe") == _rows(merchant.rows["intents"], window)
    assert _side(totals, "ledger") == _rows(merchant.rows["ledger-payments"], window)
    refunds = found.totals.refunds
    assert _side(refunds, "stripe") == _rows(merchant.rows["refunds"], window)
    assert _side(refunds, "ledger") == _rows(merchant.rows["ledger-refunds"], window)
    exceptions = Counter(row["class"] for row in found.findings)
    for each, total in totals.items():
        assert each.value in {"matched", "in_flight", "not_charged"} or (
            total.count == exceptions[each.value]
        )


def _side(totals: Mapping[MatchClass, ClassTotal], side: str) -> tuple[int, dict[str, int]]:
    count, sums = 0, Counter[str]()
    for total in totals.values():
        own = getattr(total, side)
        count += own.count
        sums.update(own.minor)
    return count, {currency: minor for currency, minor in sums.items() if minor}


def _rows(rows: list[dict[str, Any]], window: Window) -> tuple[int, dict[str, int]]:
    since, until = us(window.since), us(window.until)
    inside = [row for row in rows if since <= int(row["created_us"]) < until]
    sums = Counter[str]()
    for row in inside:
        if str(row["amount"]).lstrip("-").isdigit():
            sums[row["currency"]] += int(row["amount"])
    return len(inside), {currency: minor for currency, minor in sums.items() if minor}


def test_every_class_in_known_numbers_and_nothing_else() -> None:
    rng = random.Random(7)
    merchant = Merchant()
    for _ in range(5_000):
        merchant.pair(NOW - timedelta(seconds=rng.randint(900, 86_000)))
    expected: Counter[str] = Counter()
    for make, match_class, _, _ in CASES.values():
        count = rng.choice((1, 2, 17, 120))
        for _ in range(count):
            make(merchant)
        expected[match_class] += count
    found = matched(merchant, files=5, seed=3)
    assert found.classes == dict(expected)


def test_the_edges_of_the_window_belong_to_it_as_they_are_written() -> None:
    second = timedelta(seconds=1)
    for edge, inside in (
        (WINDOW.since, True),
        (WINDOW.since - second, False),
        (WINDOW.until - 700 * second, True),
        (WINDOW.until, False),
        (WINDOW.until + second, False),
    ):
        merchant = Merchant()
        merchant.intent(edge)
        found = matched(merchant)
        assert found.classes == ({"missing_in_ledger": 1} if inside else {}), edge


def test_a_pair_over_the_edge_is_one_pair() -> None:
    merchant = Merchant()
    intent, row = merchant.pair(WINDOW.since)  # the row was written 250 ms before
    assert row["created_us"] < us(WINDOW.since) <= intent["created_us"]
    found = matched(merchant)
    assert found.classes == {}
    total = found.totals.payments[MatchClass.MATCHED]
    assert (total.count, total.stripe.count, total.ledger.count) == (1, 1, 0)
