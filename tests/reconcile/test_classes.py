"""One row has one class: each class by an example or more, who is harmed, and how much it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.config.ledger import Ledger
from payops.domain.discrepancy import MatchClass
from reconcile.merchant import (
    NOW,
    PAYMENTS,
    REFERENCE,
    REFUND_LEDGER,
    WINDOW,
    Merchant,
    ledger,
    match,
)

T = NOW - timedelta(hours=5)
H = timedelta(hours=1)
Make = Callable[[Merchant], Any]


def change(row: dict[str, Any], **values: Any) -> None:
    row.update(values)


def other_currency(m: Merchant) -> None:
    _, row = m.pair(T)
    change(row, currency="eur")


def amount_less(m: Merchant) -> None:
    _, row = m.pair(T)
    change(row, amount="1500")


def amount_more(m: Merchant) -> None:
    _, row = m.pair(T)
    change(row, amount="2500")


def no_amount(m: Merchant) -> None:
    _, row = m.pair(T)
    change(row, amount=None)


def half_a_cent(m: Merchant) -> None:
    _, row = m.pair(T)
    change(row, amount="1999.5")


def refund_unrecorded(m: Merchant) -> None:
    intent, _ = m.pair(T)
    m.refund(intent, T + H, 1999)


def refund_row_gone(m: Merchant) -> None:
    intent, row = m.pair(T)
    m.refund(intent, T + H, 500)
    change(row, status="partially_refunded")


def refund_of_an_old_payment(m: Merchant) -> None:
    intent = m.intent(NOW - timedelta(days=20))
    m.rows["intents"].remove(intent)
    m.refund(intent, T, 700)


def refund_promised(m: Merchant) -> None:
    m.pair(T, "refunded")


def refund_failed(m: Merchant) -> None:
    intent, row = m.pair(T, "refunded")
    refund = m.refund(intent, T + H, 1999, "failed")
    m.refund_row(refund, row)


def refund_smaller(m: Merchant) -> None:
    intent, row = m.pair(T, "partially_refunded")
    m.refund_row(m.refund(intent, T + H, 500), row, amount="700")


def refund_only_in_the_ledger(m: Merchant) -> None:
    intent, row = m.pair(T, "partially_refunded")
    ghost = {
        "id": f"re_ghost_{m.number}",
        "amount": 300,
        "currency": "usd",
        "created_us": intent["created_us"],
    }
    m.refund_row(m.refund(intent, T + H, 500), row)
    m.refund_row(ghost, row)


def refund_twice_in_the_ledger(m: Merchant) -> None:
    intent, row = m.pair(T, "partially_refunded")
    refund = m.refund(intent, T + H, 500)
    m.refund_row(refund, row)
    m.refund_row(refund, row)


def refund_still_pending_here(m: Merchant) -> None:
    intent, row = m.pair(T, "partially_refunded")
    m.refund_row(m.refund(intent, T + H, 500), row, status="pending")


def refund_recorded_status_stale(m: Merchant) -> None:
    intent, row = m.pair(T)
    m.refund_row(m.refund(intent, T + H, 1999), row)


def dispute(m: Merchant) -> None:
    intent, _ = m.pair(T)
    m.dispute(intent, T + H)


def dispute_under_review(m: Merchant) -> None:
    intent, _ = m.pair(T)
    m.dispute(intent, T + H, "under_review")


def partial_capture(m: Merchant) -> None:
    intent, _ = m.pair(T)
    change(intent, amount_received=1500, amount_captured=1500)


def twice_in_the_ledger(m: Merchant) -> None:
    intent, _row = m.pair(T)
    again = m.row(intent, T + H)
    change(again, key=f"again-{m.number}")


def twice_once_failed(m: Merchant) -> None:
    intent, _row = m.pair(T)
    change(m.row(intent, T - H, "failed"), key=f"first-try-{m.number}")


def charged_twice(m: Merchant) -> None:
    _, one = m.pair(T)
    _, two = m.pair(T + H)
    change(two, order_id=one["order_id"], customer_id=one["customer_id"])


def charged_twice_by_metadata(m: Merchant) -> None:
    first, _ = m.pair(T)
    m.intent(T + H, meta_local=first["meta_local"], meta_order=None)


def deposit_and_balance(m: Merchant) -> None:
    _, one = m.pair(T)
    _, two = m.pair(T + H, amount=500)
    change(two, order_id=one["order_id"], customer_id=None)


def in_test_mode(m: Merchant) -> None:
    intent, _ = m.pair(T)
    change(intent, livemode="false")


def unknown_word(m: Merchant) -> None:
    m.pair(T, "weird")


def unknown_word_alone(m: Merchant) -> None:
    m.row(None, T, "weird")


def unknown_word_at_stripe(m: Merchant) -> None:
    m.pair(T, "pending", "brand_new")


def charged_only(m: Merchant) -> None:
    m.intent(T)


def refunded_only_at_stripe(m: Merchant) -> None:
    m.refund(m.intent(T), T + H, 1999)


def referenced(status: str) -> Make:
    return lambda m: m.row(None, T, status, processor_ref=f"pi_unknown_{m.number}")


def alone(status: str) -> Make:
    return lambda m: m.row(None, T, status)


# what happened: the class, its severity, the money at risk
CASES: dict[str, tuple[Make, str, str, int | None]] = {
    "charged, not recorded": (charged_only, "missing_in_ledger", "CRIT", 1999),
    "charged and given back": (refunded_only_at_stripe, "missing_in_ledger", "WARN", 0),
    "recorded as paid, unknown": (referenced("succeeded"), "missing_in_stripe", "CRIT", 1999),
    "recorded as open, unknown": (referenced("pending"), "missing_in_stripe", "WARN", 0),
    "recorded as failed, unknown": (referenced("failed"), "missing_in_stripe", "WARN", 0),
    "paid without a reference": (alone("succeeded"), "no_reference", "CRIT", 1999),
    "open without a reference": (alone("pending"), "no_reference", "WARN", 0),
    "another currency": (other_currency, "currency_mismatch", "CRIT", 1999),
    "Stripe took more": (amount_less, "amount_mismatch", "CRIT", 499),
    "Stripe took less": (amount_more, "amount_mismatch", "WARN", 501),
    "no amount": (no_amount, "amount_mismatch", "WARN", 1999),
    "half a cent": (half_a_cent, "amount_mismatch", "WARN", 1999),
    "refund promised": (refund_promised, "refund_missing", "CRIT", 1999),
    "refund failed": (refund_failed, "status_mismatch", "CRIT", 1999),
    "refund of an old payment": (refund_of_an_old_payment, "refund_missing", "WARN", 700),
    "refund row gone": (refund_row_gone, "refund_missing", "WARN", 500),
    "refund smaller": (refund_smaller, "refund_partial_mismatch", "CRIT", 200),
    "refund only here": (refund_only_in_the_ledger, "missing_in_stripe", "CRIT", 300),
    "refund twice here": (refund_twice_in_the_ledger, "duplicate_in_ledger", "WARN", 500),
    "refund pending here": (refund_still_pending_here, "status_mismatch", "WARN", 500),
    "refund recorded, status stale": (refund_recorded_status_stale, "status_mismatch", "WARN", 0),
    "dispute": (dispute, "dispute_unrecorded", "CRIT", 1999),
    "dispute answered": (dispute_under_review, "dispute_unrecorded", "WARN", 1999),
    "partial capture": (partial_capture, "partial_capture", "WARN", 499),
    "two rows": (twice_in_the_ledger, "duplicate_in_ledger", "CRIT", 1999),
    "two rows, one failed": (twice_once_failed, "duplicate_in_ledger", "WARN", 0),
    "charged twice": (charged_twice, "duplicate_charge", "CRIT", 1999),
    "charged twice for one row": (charged_twice_by_metadata, "duplicate_charge", "CRIT", 1999),
    "deposit and balance": (deposit_and_balance, "duplicate_charge", "WARN", 500),
    "test mode": (in_test_mode, "livemode_or_account_mismatch", "CRIT", 1999),
    "unknown word": (unknown_word, "unexpected_status", "CRIT", 1999),
    "unknown word, alone": (unknown_word_alone, "unexpected_status", "WARN", 1999),
    "unknown word at Stripe": (unknown_word_at_stripe, "unexpected_status", "WARN", 0),
}


@pytest.mark.parametrize("name", CASES)
def test_a_single_fault_is_one_finding(name: str, tmp_path: Path) -> None:
    make, match_class, severity, money = CASES[name]
    merchant = Merchant()
    for _ in range(3):
        merchant.pair(T)
    make(merchant)
    found = match(merchant.write(tmp_path / "spool"))
    row = found.only()
    assert (row["class"], row["severity"], row["money"]) == (match_class, severity, money)
    assert found.totals.payments[MatchClass(match_class)].count == 1


def refunded_and_recorded(m: Merchant) -> None:
    intent, row = m.pair(T, "refunded")
    m.refund_row(m.refund(intent, T + H, 1999), row)


def refunded_in_parts(m: Merchant) -> None:
    intent, row = m.pair(T, "partially_refunded")
    for amount in (300, 400):
        m.refund_row(m.refund(intent, T + H, amount), row)


def refund_without_reference(m: Merchant) -> None:
    intent, row = m.pair(T, "refunded")
    m.refund_row(m.refund(intent, T + H, 1999), row, processor_ref=None)


def dispute_recorded(m: Merchant) -> None:
    intent, _ = m.pair(T, "disputed")
    m.dispute(intent, T + H)


def dispute_won(m: Merchant) -> None:
    intent, _ = m.pair(T)
    m.dispute(intent, T + H, "won")


def inquiry(m: Merchant) -> None:
    intent, _ = m.pair(T)
    m.dispute(intent, T + H, "warning_needs_response")


def captured_in_part_and_recorded_so(m: Merchant) -> None:
    intent, row = m.pair(T)
    change(intent, amount_received=1500, amount_captured=1500)
    change(row, amount="1500")


def second_charge_given_back(m: Merchant) -> None:
    _, one = m.pair(T)
    second, two = m.pair(T + H, "refunded")
    change(two, order_id=one["order_id"], customer_id=one["customer_id"])
    m.refund_row(m.refund(second, T + 2 * H, 1999), two)


def same_order_number_of_two_customers(m: Merchant) -> None:
    _, one = m.pair(T)
    _, two = m.pair(T + H)
    change(two, order_id=one["order_id"])
    assert one["customer_id"] != two["customer_id"]
    change(two, customer_id=one["customer_id"] + "-other")


def retried_after_a_decline(m: Merchant) -> None:
    _first, row = m.pair(T, "failed", "requires_payment_method", charge_status="failed")
    _, again = m.pair(T + H)
    change(again, order_id=row["order_id"], customer_id=row["customer_id"])


def abandoned(m: Merchant) -> None:
    m.intent(T, "requires_payment_method")
    m.intent(T, "canceled")


def failed_before_stripe(m: Merchant) -> None:
    m.row(None, T, "failed")
    m.row(None, T, "canceled")


def canceled_and_given_back(m: Merchant) -> None:
    intent, row = m.pair(T, "canceled")
    m.refund_row(m.refund(intent, T + H, 1999), row)


def young(m: Merchant) -> None:
    soon = NOW - timedelta(minutes=2)
    m.pair(soon, "pending")
    m.intent(soon)
    m.row(None, soon, "pending")
    intent, _row = m.pair(T)
    m.refund(intent, soon, 1999)
    intent, _ = m.pair(T)
    m.dispute(intent, soon)


def late_charge(m: Merchant) -> None:
    intent, _ = m.pair(T, "requires_action")
    change(intent, charge_created_us=intent["created_us"] + 4 * 3_600_000_000 + 3_300_000_000)


def still_moving(m: Merchant) -> None:
    m.pair(T, "processing", "processing")
    m.pair(T, "pending", "requires_capture")
    m.pair(T, "requires_action", "requires_action")
    m.intent(T, "processing")


def outside(m: Merchant) -> None:
    before, after = WINDOW.since - timedelta(seconds=2), WINDOW.until + timedelta(minutes=5)
    for at in (before, after):
        m.intent(at)
        m.pair(at, "pending")
        m.row(None, at)


WELL: dict[str, tuple[Make, dict[str, int]]] = {
    "refunded": (refunded_and_recorded, {"matched": 4}),
    "refunded in parts": (refunded_in_parts, {"matched": 4}),
    "refund without reference": (refund_without_reference, {"matched": 4}),
    "disputed": (dispute_recorded, {"matched": 4}),
    "dispute won": (dispute_won, {"matched": 4}),
    "inquiry": (inquiry, {"matched": 4}),
    "captured in part": (captured_in_part_and_recorded_so, {"matched": 4}),
    "second charge given back": (second_charge_given_back, {"matched": 5}),
    "two customers, one order number": (same_order_number_of_two_customers, {"matched": 5}),
    "declined, then paid": (retried_after_a_decline, {"matched": 5}),
    "abandoned": (abandoned, {"matched": 3, "not_charged": 2}),
    "failed before Stripe": (failed_before_stripe, {"matched": 3, "not_charged": 2}),
    "canceled and given back": (canceled_and_given_back, {"matched": 4}),
    "young": (young, {"matched": 4, "in_flight": 4}),
    "charged late": (late_charge, {"matched": 3, "in_flight": 1}),
    "still moving": (still_moving, {"matched": 3, "in_flight": 4}),
    "outside": (outside, {"matched": 3}),
}


@pytest.mark.parametrize("name", WELL)
def test_what_is_well_is_no_finding(name: str, tmp_path: Path) -> None:
    make, counted = WELL[name]
    merchant = Merchant()
    for _ in range(3):
        merchant.pair(T)
    make(merchant)
    found = match(merchant.write(tmp_path / "spool"))
    assert found.classes == {}
    assert found.counted() == counted


def test_refund_of_a_payment_is_told_once_with_its_own_id(tmp_path: Path) -> None:
    merchant = Merchant()
    refund_unrecorded(merchant)
    row = match(merchant.write(tmp_path / "spool")).only()
    assert (row["class"], row["book"], row["money"]) == ("refund_missing", "refunds", 1999)
    assert row["refund_id"].startswith("re_")
    assert (row["ledger"], row["key"]) == ("payments", "row-1")


def test_without_a_ledger_of_refunds_the_status_tells(tmp_path: Path) -> None:
    merchant = Merchant()
    refund_unrecorded(merchant)
    row = match(merchant.write(tmp_path / "spool"), {"payments": ledger()}).only()
    assert (row["class"], row["book"], row["money"]) == ("refund_missing", "payments", 1999)


def test_a_refunded_amount_tells_where_no_status_can(tmp_path: Path) -> None:
    words = {k: v for k, v in PAYMENTS["statuses"].items() if "refunded" not in k}
    columns = {**PAYMENTS["columns"], "refunded_amount": "refunded"}
    mapped = {"payments": ledger(statuses=words, columns=columns)}
    merchant = Merchant()
    for recorded, given in (("0", 500), ("500", 500), ("300", 500), ("900", 500)):
        intent, row = merchant.pair(T)
        merchant.refund(intent, T + H, given)
        row["refunded_amount"] = recorded
    found = match(merchant.write(tmp_path / "spool"), mapped)
    assert [(r["class"], r["money"], r["severity"]) for r in found.findings] == [
        ("refund_missing", 500, "WARN"),
        ("refund_partial_mismatch", 400, "CRIT"),
        ("refund_partial_mismatch", 200, "WARN"),
    ]


def test_a_file_without_refunds_says_nothing_of_single_ones(tmp_path: Path) -> None:
    merchant = Merchant()
    for status, given, recorded in (
        ("refunded", 1999, 1999),
        ("partially_refunded", 500, 500),
        ("partially_refunded", 500, 300),
    ):
        intent, row = merchant.pair(T, status)
        refund = merchant.refund(intent, T + H, given)
        merchant.refund_row(refund, row, amount=str(recorded))
    merchant.rows["refunds"].clear()
    folder = merchant.write(tmp_path / "spool")
    row = match(folder, knows_refunds=False).only()
    assert (row["class"], row["money"]) == ("refund_partial_mismatch", 200)
    assert match(folder).classes["missing_in_stripe"] == 3


def test_fees_are_compared_where_they_are_mapped(tmp_path: Path) -> None:
    columns = {**PAYMENTS["columns"], "fee": "fee"}
    mapped = {"payments": ledger(columns=columns)}
    merchant = Merchant()
    for stored in ("88", "90", None):
        _, row = merchant.pair(T, fee=88, fee_currency="usd")
        row["fee"] = stored
    row = match(merchant.write(tmp_path / "spool"), mapped).only()
    assert (row["class"], row["severity"], row["money"]) == ("fee_mismatch", "WARN", 2)


@pytest.mark.parametrize(
    ("stored", "currency", "at_stripe"),
    [("19.99", "usd", 1999), ("1999", "jpy", 1999), ("1.999", "kwd", 1999), ("1e3", "jpy", 1000),
     ("30.000000000000004", "usd", 3000), ("19.990", "usd", 1999), ("+19.99", "usd", 1999)],
)  # fmt: skip
def test_major_units_become_minor_ones_exactly(
    stored: str, currency: str, at_stripe: int, tmp_path: Path
) -> None:
    merchant = Merchant()
    _, row = merchant.pair(T, amount=at_stripe, currency=currency)
    row["amount"] = stored
    found = match(merchant.write(tmp_path / "spool"), {"payments": ledger(amount_unit="major")})
    assert found.classes == {}
    total = found.totals.payments[MatchClass.MATCHED]
    assert total.ledger.minor == total.stripe.minor == {currency: at_stripe}


def test_cents_cut_by_float_are_a_known_quirk(tmp_path: Path) -> None:
    merchant = Merchant()
    for stored, at_stripe in (("19.99", 1998), ("19.99", 1999), ("19.99", 1997)):
        _, row = merchant.pair(T, amount=at_stripe)
        row["amount"] = stored
    folder = merchant.write(tmp_path / "spool")
    cut = match(folder, {"payments": ledger(amount_unit="major", truncated_cents=True)})
    assert cut.only()["money"] == 2
    assert cut.totals.cut_cents == 1
    exact = match(folder, {"payments": ledger(amount_unit="major")})
    assert exact.classes == {"amount_mismatch": 2}


def test_a_gift_card_is_not_charged(tmp_path: Path) -> None:
    merchant = Merchant()
    _, row = merchant.pair(T, amount=1500)
    row |= {"amount": "1999", "deduction": "499"}
    assert match(merchant.write(tmp_path / "spool")).classes == {}


def test_words_are_compared_as_the_mapping_says(tmp_path: Path) -> None:
    merchant = Merchant()
    merchant.pair(T, "SUCCEEDED")
    folder = merchant.write(tmp_path / "spool")
    assert match(folder, {"payments": ledger(match_case=False)}).classes == {}
    assert match(folder).classes == {"unexpected_status": 1}


def test_what_a_ledger_has_no_word_for_it_cannot_say(tmp_path: Path) -> None:
    words = {"pending": ["pending"], "succeeded": ["succeeded"], "failed": ["failed"]}
    merchant = Merchant()
    merchant.pair(T, "pending", "requires_action")
    folder = merchant.write(tmp_path / "spool")
    assert match(folder, {"payments": ledger(statuses=words)}).classes == {}
    assert match(folder).classes == {"status_mismatch": 1}


MATCHED_BY: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "reference": ({}, {"processor_ref": "pi_000000000000000000000001"}, "processor_ref"),
    "charge": ({}, {"charge_ref": "ch_000000000000000000000001"}, "charge"),
    "charge as reference": ({}, {"processor_ref": "ch_000000000000000000000001"}, "charge"),
    "intent as charge": ({}, {"charge_ref": "pi_000000000000000000000001"}, "charge"),
    "session": ({"session": "cs_1"}, {"session_ref": "cs_1"}, "session"),
    "metadata": ({}, {"key": "row-1"}, "metadata"),
    "order": ({}, {"order_id": "order-1"}, "metadata"),
    "idempotency key": ({"idempotency_key": "k"}, {"idempotency_key": "k"}, "idempotency_key"),
}


@pytest.mark.parametrize("name", MATCHED_BY)
def test_rows_find_their_intent_by_the_best_that_there_is(name: str, tmp_path: Path) -> None:
    of_intent, of_row, by = MATCHED_BY[name]
    merchant = Merchant()
    merchant.intent(T, **of_intent)
    merchant.row(None, T, "pending", **of_row)
    row = match(merchant.write(tmp_path / "spool")).only()
    assert (row["class"], row["matched_by"]) == ("status_mismatch", by)


def test_a_session_finds_its_intent_through_the_list_of_sessions(tmp_path: Path) -> None:
    merchant = Merchant()
    intent = merchant.intent(T, meta_local=None)
    merchant.rows["sessions"].append(
        {"id": "cs_1", "created_us": intent["created_us"], "status": "complete",
         "payment_status": "paid", "payment_intent": intent["id"], "amount_total": 1999,
         "currency": "usd", "meta_local": "mine"}
    )  # fmt: skip
    merchant.row(None, T, "processing", session_ref="cs_1")
    row = match(merchant.write(tmp_path / "spool")).only()
    assert (row["class"], row["matched_by"]) == ("status_mismatch", "session")


@pytest.mark.parametrize(
    ("status", "expected"), [("open", {}), ("expired", {"status_mismatch": 1})]
)
def test_a_session_that_nobody_paid_stands_for_its_intent(
    status: str, expected: dict[str, int], tmp_path: Path
) -> None:
    merchant = Merchant()
    merchant.rows["sessions"].append(
        {"id": "cs_1", "created_us": 1, "status": status, "payment_status": "unpaid",
         "amount_total": 1999, "currency": "usd"}
    )  # fmt: skip
    merchant.row(None, T, "processing", session_ref="cs_1")
    assert match(merchant.write(tmp_path / "spool")).classes == expected


def test_a_suggestion_is_one_to_one_and_no_match(tmp_path: Path) -> None:
    merchant = Merchant()
    lost = merchant.intent(T, amount=4242)
    merchant.row(None, T, amount="4242")
    found = match(merchant.write(tmp_path / "one"))
    assert found.classes == {"missing_in_ledger": 1, "no_reference": 1}
    assert {row["suggested_id"] for row in found.findings} == {lost["id"]}
    merchant.row(None, T + timedelta(minutes=1), amount="4242")
    tied = match(merchant.write(tmp_path / "two"))
    assert {row["suggested_id"] for row in tied.findings} == {None}


def test_the_most_severe_class_wins_and_the_rest_is_evidence(tmp_path: Path) -> None:
    merchant = Merchant()
    intent, row = merchant.pair(T)
    row["amount"] = "1500"
    merchant.dispute(intent, T + H)
    merchant.refund(intent, T + H, 100)
    found = match(merchant.write(tmp_path / "spool"), {"payments": ledger()}).only()
    assert found["class"] == "dispute_unrecorded"
    assert set(found["also"].split(", ")) == {"refund_missing", "amount_mismatch"}


def test_two_ledgers_of_payments_are_one_side(tmp_path: Path) -> None:
    merchant = Merchant()
    merchant.pair(T)
    gift = merchant.intent(T)
    merchant.rows["ledger-gifts"] = [
        {"key": "1", "status": "used", "amount": "19.99", "currency": "usd",
         "created_us": gift["created_us"], "processor_ref": gift["id"]}
    ]  # fmt: skip
    gifts = ledger({**PAYMENTS, "statuses": {"succeeded": ["used"]}, "amount_unit": "major"})
    both: dict[str, Ledger] = {**REFERENCE, "gifts": gifts}
    assert match(merchant.write(tmp_path / "spool"), both).classes == {}


def test_nothing_on_either_side_is_nothing(tmp_path: Path) -> None:
    found = match(Merchant().write(tmp_path / "spool"))
    assert (found.classes, found.counted()) == ({}, {})


def test_the_refund_ledgers_words_are_its_own() -> None:
    assert "succeeded" in REFUND_LEDGER["statuses"]
