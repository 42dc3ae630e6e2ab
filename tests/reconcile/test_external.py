"""Commission to the cent, collections and totals, by tables and by properties; no database."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.external import Collection, ConnectionSum, Sale
from payops.domain.money import Money, exponent
from payops.reconcile.external_collection import Odd, judge_collection
from payops.reconcile.external_commission import Wrong, judge_commission
from payops.reconcile.external_terms import Terms, commission_due, exact
from payops.reconcile.external_totals import judge_totals

STATUSES = {"succeeded": ["completed"], "refunded": ["refunded"], "failed": ["failed"]}
TERMS = Terms.of(STATUSES, match_case=False)
FRACTION = Terms.of(STATUSES, percent=False)
MINOR = Terms.of(STATUSES, in_minor=True)
SALE = Sale("7", "1", "sq_7", "COMPLETED", "usd", "100.0", "3.2", "15.0", "15.0", "0", False)


# ── commission ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("amount", "rate", "currency", "terms", "due"),
    [
        ("19.99", "15.0", "usd", TERMS, "3.00"),
        ("20.50", "5", "usd", TERMS, "1.03"),  # 1.025: half up, where half to even gives 1.02
        ("-20.50", "5", "usd", TERMS, "-1.03"),
        ("1.005", "100", "usd", TERMS, "1.01"),  # as a float it is less than 1.005
        ("0.1", "15.0", "usd", TERMS, "0.02"),
        ("19.99", "0.15", "usd", FRACTION, "3.00"),
        ("1050", "5", "jpy", TERMS, "53"),
        ("1.0005", "100", "kwd", TERMS, "1.001"),
        ("1999", "15", "usd", MINOR, "300"),
        ("9007199254740993", "33.333", "usd", TERMS, "3002369727582815.20"),
    ],
)
def test_what_is_owed(amount: str, rate: str, currency: str, terms: Terms, due: str) -> None:
    assert str(commission_due(Decimal(amount), Decimal(rate), currency, terms)) == due


@given(
    st.decimals(-(10**12), 10**12, places=4),
    st.decimals(0, 100, places=6),
    st.sampled_from(["usd", "jpy", "kwd"]),
)
def test_what_is_owed_is_within_half_a_unit_and_exactly_half_goes_up(
    amount: Decimal, rate: Decimal, currency: str
) -> None:
    due = Fraction(commission_due(amount, rate, currency, TERMS)) * 10 ** exponent(currency)
    right = Fraction(amount) * Fraction(rate) / 100 * 10 ** exponent(currency)
    assert due.denominator == 1
    assert abs(due - right) <= Fraction(1, 2)
    if abs(due - right) == Fraction(1, 2):
        assert abs(due) > abs(right)


@given(st.decimals(0, 10**9, places=2), st.decimals(0, 1, places=4))
def test_per_cent_and_fraction_are_the_same(amount: Decimal, rate: Decimal) -> None:
    per_cent = commission_due(amount, rate * 100, "usd", TERMS)
    assert per_cent == commission_due(amount, rate, "usd", FRACTION)


@given(st.integers(0, 10**9), st.integers(0, 1000), st.integers(-5000, 5000))
def test_a_cent_of_either_sign_is_found_and_the_right_one_is_not(
    cents: int, per_mille: int, off: int
) -> None:
    amount, rate = Decimal(cents) / 100, Decimal(per_mille) / 10
    due = commission_due(amount, rate, "usd", TERMS)
    stored = due + Decimal(off) / 100
    sale = replace(SALE, amount=str(amount), rate=str(rate), commission=str(stored), refunded=None)
    found = judge_commission(sale, TERMS)
    if not off:
        assert found is None
    else:
        assert found is not None
        assert found.wrong is Wrong.DIFFERS
        assert found.difference == Money("usd", off)


@pytest.mark.parametrize(
    ("changed", "wrong", "difference", "why"),
    [
        ({}, None, None, ""),
        ({"commission": "15"}, None, None, ""),
        ({"commission": "15.00000000000000"}, None, None, ""),
        ({"rate": None}, None, None, ""),
        ({"rate": None, "commission": "3"}, None, None, ""),
        ({"rate": "0", "commission": None}, None, None, ""),
        ({"commission": None}, Wrong.MISSING, -1500, "none is stored"),
        ({"commission": "15.01"}, Wrong.DIFFERS, 1, ""),
        ({"commission": "14.52"}, Wrong.DIFFERS, -48, "less the processor's fee"),
        ({"commission": "1500"}, Wrong.DIFFERS, 148_500, "100 times too much"),
        ({"commission": "0.15"}, Wrong.DIFFERS, -1485, "100 times too little"),
        ({"amount": "19.99", "commission": "2.9985"}, Wrong.UNROUNDED, 0, "not rounded"),
        ({"amount": "19.99", "commission": "2.99"}, Wrong.DIFFERS, -1, "cut off"),
        ({"amount": "20.7", "rate": "5", "commission": "1.035"}, Wrong.UNROUNDED, 0, "same"),
        ({"amount": "20.70", "rate": "5", "commission": "1.03"}, Wrong.DIFFERS, -1, "cut off"),
        ({"amount": "20.30", "rate": "5", "commission": "1.01"}, Wrong.DIFFERS, -1, "cut off"),
        ({"rate": "100.0001", "commission": "100"}, Wrong.RATE, 0, "outside 0..100"),
        ({"rate": "-0.1", "commission": "-0.10"}, Wrong.RATE, 0, "outside"),
        ({"rate": "NaN"}, Wrong.UNREADABLE, None, "commission_rate"),
        ({"amount": "Infinity"}, Wrong.UNREADABLE, None, "amount"),
        ({"amount": None}, Wrong.UNREADABLE, None, "amount"),
        ({"amount": "1e300"}, Wrong.UNREADABLE, None, "amount"),
        ({"commission": "a lot"}, Wrong.UNREADABLE, None, "commission_amount"),
        ({"refunded": "40", "commission": "9"}, None, None, ""),
        ({"refunded": "40", "commission": "9.01"}, Wrong.DIFFERS, -599, ""),
        ({"refunded": "100", "commission": "0"}, None, None, ""),
        ({"status": "Refunded", "commission": "0"}, None, None, ""),
        ({"status": "Refunded", "commission": None}, None, None, ""),
        ({"commission": "0"}, Wrong.DIFFERS, -1500, ""),
    ],
)
def test_a_commission(
    changed: dict[str, str | None], wrong: Wrong | None, difference: int | None, why: str
) -> None:
    found = judge_commission(replace(SALE, **changed), TERMS)  # type: ignore[arg-type]
    assert (found.wrong if found else None) is wrong
    if found is not None:
        assert (found.difference.minor if found.difference else None) == difference
        assert why in found.why


def test_half_to_even_is_named() -> None:
    sale = replace(SALE, amount="20.30", rate="7.5", commission="1.52")  # 1.5225
    assert judge_commission(sale, TERMS) is None
    sale = replace(SALE, amount="-0.10", rate="5", commission="0.00")  # -0.005
    found = judge_commission(sale, TERMS)
    assert found is not None
    assert found.difference == Money("usd", 1)


def test_a_fraction_above_one_is_out_of_range() -> None:
    found = judge_commission(replace(SALE, rate="15.0", commission="15.0"), FRACTION)
    assert found is not None
    assert found.wrong is Wrong.RATE
    assert judge_commission(replace(SALE, rate="0.15"), FRACTION) is None


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = exact(text)
    assert number is None or (number.is_finite() and abs(number) < 10**16)


# ── collections ──────────────────────────────────────────────────────────────────────────────────

COLLECTION = Collection(
    id="5",
    transaction="7",
    connection="1",
    connection_found=True,
    connection_owner="2",
    owner="2",
    type="COMMISSION",
    status="due",
    currency="usd",
    amount="15",
    is_commission=True,
    is_collected=False,
    is_waived=False,
    times=0,
    found=True,
    sale_connection="1",
    sale_owner="2",
    sale_status="COMPLETED",
    sale_currency="usd",
    sale_amount="100.0",
    sale_rate="15.0",
    sale_commission="15.0",
    sale_refunded=None,
)
NOTHING = {
    "found": False,
    **dict.fromkeys(("sale_connection", "sale_owner", "sale_status", "sale_currency"), None),
    **dict.fromkeys(("sale_amount", "sale_rate", "sale_commission"), None),
}


@pytest.mark.parametrize(
    ("changed", "wrong", "at_risk"),
    [
        ({}, (), 0),
        ({**NOTHING, "transaction": None}, (), 0),
        (NOTHING, (Odd.NO_TRANSACTION,), 1500),
        ({**NOTHING, "is_commission": False}, (Odd.NO_TRANSACTION,), 1500),
        ({**NOTHING, "amount": None}, (Odd.NO_TRANSACTION,), None),
        ({"connection": "3", "connection_owner": "2"}, (Odd.OTHER_CONNECTION,), 1500),
        ({"connection": "3", "connection_found": False}, (Odd.NO_CONNECTION,), 1500),
        ({"connection": None, "connection_found": False}, (), 0),
        ({"owner": "9"}, (Odd.OTHER_OWNER,), 1500),
        ({**NOTHING, "transaction": None, "owner": "9"}, (Odd.OTHER_OWNER,), 1500),
        ({"owner": None}, (), 0),
        ({"amount": "15.01"}, (Odd.AMOUNT,), 1),
        ({"amount": "14"}, (Odd.AMOUNT,), -100),
        ({"amount": "14", "is_waived": True}, (), 0),
        ({"amount": "14", "is_commission": False}, (), 0),
        ({"amount": None}, (Odd.AMOUNT,), -1500),
        ({"amount": "9", "sale_refunded": "40"}, (), 0),
        ({"amount": "15", "sale_refunded": "40"}, (), 0),
        ({"amount": "11", "sale_refunded": "40"}, (Odd.AMOUNT,), -400),
        # The stored commission is wrong, the collection right: that is the commission's finding.
        ({"sale_commission": "3"}, (), 0),
        ({"sale_commission": "3", "sale_rate": None, "amount": "3.00"}, (), 0),
        ({"sale_commission": None, "sale_rate": None}, (), 0),
        ({"currency": "eur"}, (Odd.CURRENCY,), 1500),
        ({"sale_status": "failed"}, (Odd.NOT_PAID,), 1500),
        ({"sale_status": "pending"}, (), 0),
        ({"is_collected": True, "times": 2}, (Odd.TWICE,), 1500),
        ({"is_collected": False, "times": 2}, (), 0),
        ({"is_collected": True, "times": 1}, (), 0),
        ({"owner": "9", "amount": "20"}, (Odd.OTHER_OWNER, Odd.AMOUNT), 2000),
    ],
)
def test_a_collection(
    changed: dict[str, object], wrong: tuple[Odd, ...], at_risk: int | None
) -> None:
    found = judge_collection(replace(COLLECTION, **changed), TERMS, connections=True)  # type: ignore[arg-type]
    assert (found.wrong if found else ()) == wrong
    if found is not None:
        assert (found.at_risk.minor if found.at_risk else None) == at_risk


def test_without_connections_or_amounts_mapped_nothing_is_claimed_of_them() -> None:
    row = replace(COLLECTION, connection_found=False, amount=None)
    assert judge_collection(row, TERMS, connections=False, amounts=False) is None


# ── totals ───────────────────────────────────────────────────────────────────────────────────────


def total(
    status: str | None = "completed", count: int = 2, minor: int = 3000, **more: object
) -> ConnectionSum:
    made = ConnectionSum(
        connection="1",
        known=True,
        owner="2",
        processor="SQUARE",
        state="CONNECTED",
        currency="usd",
        total_transactions="2",
        total_volume="30.00",
        status=status,
        sum_currency="usd",
        count=count,
        minor=Decimal(minor),
        refunded=Decimal(0),
        fee=None,
        net=None,
        inexact=0,
        broken=0,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recorded", "volume", "count_off", "volume_off"),
    [
        ("2", "30", 0, 0),
        ("3", "30.0", 1, 0),
        ("1", "45.5", -1, 1550),
        ("2", "29.99", 0, -1),
        ("2", "30.000000000000004", 0, 0),
        ("2", "29.999999999", 0, 0),
        (None, None, None, None),
        ("0", "0", -2, -3000),
        ("2", "-30", 0, -6000),
    ],
)
def test_recorded_against_counted_both_signs(
    recorded: str | None, volume: str | None, count_off: int | None, volume_off: int | None
) -> None:
    (found,) = judge_totals([total(total_transactions=recorded, total_volume=volume)], TERMS)
    assert found.count_off == count_off
    assert (found.volume_off.minor if found.volume_off else None) == volume_off
    assert found.differs == bool(count_off or volume_off)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([total(total_transactions="0", total_volume="0")], "nothing was ever recorded"),
        ([total(), total("failed", 1, 500, total_volume="35")], ""),
        (
            [
                total(total_transactions="3", total_volume="35"),
                total("failed", 1, 500),
            ],
            "exactly the 1 that are not completed",
        ),
        ([total(total_volume="22", refunded=Decimal(800))], "exactly what was refunded"),
        ([total(total_transactions="5")], "the sum is right"),
        ([total(total_volume="1")], ""),
    ],
)
def test_what_explains_a_difference(rows: list[ConnectionSum], words: str) -> None:
    (found,) = judge_totals(rows, TERMS)
    assert found.looks_like.startswith(words) if words else not found.looks_like


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([total(), total(sum_currency="eur")], "transactions in eur and usd"),
        ([total(sum_currency="eur")], "a volume in usd, and transactions in eur"),
        ([total(inexact=1)], "1 of its transactions have no amount"),
        ([total(total_volume="NaN")], "is no number"),
    ],
)
def test_a_volume_that_cannot_be_compared(rows: list[ConnectionSum], words: str) -> None:
    (found,) = judge_totals(rows, TERMS)
    assert found.volume_off is None
    assert words in found.why_not


def test_who_has_no_transactions_yet_agrees() -> None:
    (found,) = judge_totals(
        [total(None, 0, 0, total_transactions="0", total_volume="0", sum_currency="")], TERMS
    )
    assert not found.differs
    (found,) = judge_totals([total(None, 0, 0, sum_currency="")], TERMS)
    assert (found.count_off, found.volume_off) == (2, Money("usd", 3000))


def test_a_connection_that_only_transactions_name() -> None:
    (found,) = judge_totals([total(known=False, total_transactions=None, total_volume=None)], TERMS)
    assert found.is_orphan
    assert not found.differs


def test_a_status_that_is_not_mapped_is_counted_apart() -> None:
    (found,) = judge_totals([total(), total("odd", 4), total(None, 1)], TERMS)
    assert found.paid == 2
    assert found.unknown == {"odd": 4, "NULL": 1}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "3"]),
            st.sampled_from(["completed", "refunded", "failed", "odd"]),
            st.integers(1, 9),
            st.integers(0, 10**9),
        )
    )
)
def test_every_row_is_counted_once(rows: list[tuple[str, str, int, int]]) -> None:
    given_ = [total(status, count, minor, connection=id_) for id_, status, count, minor in rows]
    found = judge_totals(given_, TERMS)
    counted = sum(one.paid + sum(one.others.values()) + sum(one.unknown.values()) for one in found)
    assert counted == sum(count for _, _, count, _ in rows)
    paid = sum(minor for _, status, _, minor in rows if status in ("completed", "refunded"))
    assert sum(one.volume.get("usd", 0) for one in found) == paid
