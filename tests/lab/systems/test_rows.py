"""One told history, in each system's own way."""

from __future__ import annotations

import json
import pickle
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.errors import LabError
from payops.lab.history import Ending, History, HistoryPlan, tell
from payops.lab.systems import system, system_names
from payops.lab.systems.bookedbarber.money import charged, gift, price_of

UNTIL = datetime(2026, 3, 14, 15, 9, 26, 500_000, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]


def history(name: str, seed: int = 1, payments: int = 300) -> History:
    plan = HistoryPlan(payments, timedelta(days=3), UNTIL, seed, livemode=False)
    return tell(system(name).plan(plan))


def rows(name: str, told: History) -> Rows:
    return {
        table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        for table in system(name).tables(told)
    }


@pytest.mark.parametrize("name", system_names())
def test_the_same_plan_gives_the_same_rows(name: str) -> None:
    first, second = history(name), history(name)
    assert rows(name, first) == rows(name, second)
    assert system(name).strings(first) == system(name).strings(second)
    assert list(first.stripe_objects()) == list(second.stripe_objects())
    assert rows(name, history(name, seed=2)) != rows(name, first)


@pytest.mark.parametrize("name", system_names())
def test_an_empty_history_has_tables_without_payments(name: str) -> None:
    assert rows(name, history(name, payments=0))


@pytest.mark.parametrize("name", system_names())
@pytest.mark.parametrize("seed", range(4))
def test_only_what_the_system_can_record_happens(name: str, seed: int) -> None:
    style, told = system(name).style, history(name, seed)
    endings = {story.ending for story in told.stories.payments}
    assert not {ending.name for ending in endings} & style.without
    if not style.declines_of_late:
        recent = told.plan.last - 65 * 60
        assert all(s.ending.paid for s in told.stories.payments if s.created > recent)
    if style.currencies:
        assert {story.currency for story in told.stories.payments} == set(style.currencies)


@pytest.mark.parametrize("name", system_names())
def test_customers_are_those_that_the_system_makes(name: str) -> None:
    told = history(name)
    objects = list(told.stripe_objects())
    known = {one["id"] for one in objects if one["object"] == "customer"}
    paid_by = Counter(one["customer"] for one in objects if one["object"] == "payment_intent")
    match system(name).style.customers:
        case "one":
            assert set(paid_by) <= known
            assert max(paid_by.values()) > 1
        case "each time":
            assert set(paid_by) == known
            assert set(paid_by.values()) == {1}
        case "none":
            assert set(paid_by) == {None}
            assert known == set()


def test_an_unknown_system_is_told_with_those_there_are() -> None:
    with pytest.raises(LabError, match="no preset 'debtflo'") as told:
        system("debtflo")
    assert "debtflow" in (told.value.hint or "")
    assert system_names()[0] == "reference"


class TestDebtFlow:
    told = history("debtflow")
    found = rows("debtflow", told)

    def test_statuses_and_dollars(self) -> None:
        payments = self.found["payments_payment"]
        words = Counter(row["status"] for row in payments)
        assert set(words) == {"completed", "failed", "refunded"}
        for row, story in zip(payments, self.told.stories.payments, strict=True):
            assert row["amount"] == Decimal(story.amount) / 100
            assert len(row["idempotency_key"]) == 64

    def test_a_balance_is_what_was_owed_less_what_was_paid(self) -> None:
        paid: dict[UUID, Decimal] = defaultdict(Decimal)
        for row in self.found["payments_payment"]:
            if row["status"] == "completed":
                paid[row["account_id"]] += row["amount"]
        for account in self.found["accounts_account"]:
            left = account["original_amount"] - account["current_balance"]
            assert left == paid[account["id"]]

    def test_the_audit_log_ends_in_the_status(self) -> None:
        last: dict[UUID, str] = {}
        for row in self.found["audit_auditlog"]:
            changes = json.loads(row["changes"])
            last[row["object_id"]] = (changes.get("new") or changes["status"])[
                "status" if "new" in changes else "new"
            ]
        assert last == {row["id"]: row["status"] for row in self.found["payments_payment"]}

    def test_the_cache_is_pickled_as_django_does(self) -> None:
        strings = system("debtflow").strings(self.told)
        assert all(key.startswith(":1:") for key in strings)
        story = self.told.stories.payments[-1]
        value, seconds = strings[f":1:idempotency:{story.idempotency_key}"]
        assert isinstance(value, bytes)
        assert value[:2] == b"\x80\x05"
        assert pickle.loads(value) == str(story.payment_id)
        assert seconds is not None
        assert 0 < seconds <= 86_400
        events = [value for key, (value, _) in strings.items() if ":stripe_event:" in key]
        assert set(events) == {b"\x80\x05\x88."}
        (state,) = [value for key, (value, _) in strings.items() if key.endswith(":state")]
        assert state == bytes.fromhex("80059 50a00000000000000 8c06".replace(" ", "")) + (
            b"closed\x94."
        )


class TestIreti:
    told = history("ireti-pos")
    found = rows("ireti-pos", told)

    def test_what_is_logged_was_handled_and_can_be_stored(self) -> None:
        log = self.found["payments_paymentwebhook"]
        assert {row["event_type"] for row in log} == {
            "payment_intent.succeeded",
            "payment_intent.canceled",
            "charge.failed",
        }
        assert all(row["processed"] for row in log)
        assert all(len(row["status"]) <= 20 for row in self.found["payments_paymenttransaction"])

    def test_currencies_are_in_both_cases(self) -> None:
        payments = self.found["payments_paymenttransaction"]
        assert {row["currency"] for row in payments} == {"usd", "USD"}

    def test_a_sale_is_named_by_its_text_in_stripe(self) -> None:
        sales = {row["transaction_id"] for row in self.found["transaction_transaction"]}
        assert len(sales) == 300
        intents = [o for o in self.told.stripe_objects() if o["object"] == "payment_intent"]
        assert {intent["metadata"]["transaction_id"] for intent in intents} == sales

    def test_refunds_leave_the_payment_succeeded(self) -> None:
        refunded = {row["payment_transaction_id"] for row in self.found["payments_paymentrefund"]}
        payments = {row["id"]: row for row in self.found["payments_paymenttransaction"]}
        assert refunded
        assert {payments[id_]["status"] for id_ in refunded} == {"succeeded"}


@pytest.mark.parametrize("name", ["v-edfinance", "v-edfinance-drizzle"])
class TestVEdFinance:
    def test_a_session_leads_to_the_row_and_the_intent_does_not(self, name: str) -> None:
        told = history(name)
        objects = list(told.stripe_objects())
        sessions = [o for o in objects if o["object"] == "checkout.session"]
        by_session = {row["stripeSessionId"]: row for row in rows(name, told)["Transaction"]}
        assert len(sessions) == 300
        for session in sessions:
            row = by_session[session["id"]]
            assert session["metadata"] == {
                "transactionId": row["id"],
                "userId": row["userId"],
                "courseId": row["courseId"],
            }
            assert session["payment_intent"] == row["stripePaymentIntentId"]
            assert (session["amount_total"], session["currency"]) == (row["amount"], "vnd")
            assert (session["status"], session["payment_status"]) == ("complete", "paid")
        for one in objects:
            if one["object"] in ("payment_intent", "charge", "refund"):
                assert one["metadata"] == {}
        completed = [e for e in told.events() if e["type"] == "checkout.session.completed"]
        assert {e["data"]["object"]["id"] for e in completed} == set(by_session)

    def test_whole_dong_and_the_course_s_price(self, name: str) -> None:
        found = rows(name, history(name))
        prices = {row["id"]: row["price"] for row in found["Course"]}
        for row in found["Transaction"]:
            assert row["amount"] == prices[row["courseId"]]
            assert row["amount"] % 1000 == 0
            assert isinstance(row["amount"], int)

    def test_times_have_no_zone(self, name: str) -> None:
        for row in rows(name, history(name))["Transaction"]:
            assert row["createdAt"].tzinfo is None
            assert row["createdAt"] < row["completedAt"]


@pytest.mark.parametrize("name", ["bookedbarber", "bookedbarber-migrated"])
class TestBookedBarber:
    def test_gift_certificates_are_part_of_the_amount(self, name: str) -> None:
        found = rows(name, history(name))
        gifts = {row["id"]: row["amount"] for row in found["gift_certificates"]}
        used = [row for row in found["payments"] if row["gift_certificate_id"]]
        assert len(used) == len(gifts) > 5
        for row in used:
            assert row["gift_certificate_amount_used"] == gifts[row["gift_certificate_id"]]
            assert row["amount"] > row["gift_certificate_amount_used"]
            left = row["amount"] - row["gift_certificate_amount_used"]
            assert row["platform_fee"] + row["barber_amount"] == left

    def test_labels_are_in_the_shape_s_case(self, name: str) -> None:
        found = rows(name, history(name))
        label = found["hybrid_payment_configs"][0]["payment_mode"]
        assert label == ("CENTRALIZED" if name == "bookedbarber" else "centralized")
        assert found["users"][0]["payment_mode"] == "centralized"

    def test_connections_add_up(self, name: str) -> None:
        found = rows(name, history(name))
        for connection in found["payment_processor_connections"]:
            its = [
                row
                for row in found["external_transactions"]
                if row["connection_id"] == connection["id"]
            ]
            assert connection["total_transactions"] == len(its) > 0
            assert connection["total_volume"] == sum(row["amount"] for row in its)
            assert connection["last_transaction_at"] == max(row["processed_at"] for row in its)

    def test_a_collection_names_a_transaction_and_its_commission(self, name: str) -> None:
        found = rows(name, history(name))
        sold = {row["id"]: row for row in found["external_transactions"]}
        assert found["platform_collections"]
        for row in found["platform_collections"]:
            sale = sold[row["external_transaction_id"]]
            assert row["amount"] == sale["commission_amount"]
            exact = sale["amount"] * Decimal(sale["commission_rate"]) / 100
            assert abs(exact - row["amount"]) <= Decimal("0.005")
            assert sale["commission_collected"]

    def test_the_original_amount_is_in_the_metadata(self, name: str) -> None:
        told = history(name)
        payments = {row["stripe_payment_intent_id"]: row for row in rows(name, told)["payments"]}
        for one in told.stripe_objects():
            if one["object"] == "payment_intent":
                row, kept = payments[one["id"]], one["metadata"]
                assert kept["booking_id"] == str(row["appointment_id"])
                assert Decimal(kept["original_amount"]) == row["amount"]
                assert Decimal(kept["gift_cert_used"]) == row["gift_certificate_amount_used"]


@given(st.integers(100, 1_000_000), st.uuids())
def test_the_price_behind_what_was_charged_is_found(price: int, payment_id: UUID) -> None:
    asked = charged(price, payment_id)
    used = gift(price, payment_id)
    assert 0 <= price - used - asked <= 1
    found = price_of(asked, payment_id)
    assert charged(found, payment_id) == asked
    assert 0 <= found - price <= 1 or gift(found, payment_id) != used


def test_known_cuts() -> None:
    plain = UUID(int=1)
    assert [charged(price, plain) for price in (1999, 820, 6410)] == [1998, 819, 6409]


def test_an_ending_left_out_never_happens_and_the_others_still_do() -> None:
    endings = Counter(story.ending for story in history("debtflow").stories.payments)
    assert Ending.CANCELED not in endings
    assert endings[Ending.DECLINED] > 3
