"""What a scenario adds is whole: Stripe, the ledger, the log and the keys tell of the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.config.load import load
from payops.domain.deadline import Deadline
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.reconcile import ReconcileOptions, reconcile
from payops.engine.webhooks import Asking, status
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.paying import DECLINED, PAID, WAITING, at_stripe

# They add payments, or take some away, and nothing is wrong with how both sides tell of these.
ADDING = (
    *("authentication-stuck", "customer-keeps-failing", "customer-pays-often", "decline-spike"),
    *("duplicate-charges", "few-payments-fail", "high-value-payment", "payments-stopped"),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("whole") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=60, rate_limits=False))
    laboratory.down(directory)


@pytest.mark.parametrize("wanted", ADDING)
def test_both_sides_and_the_events_agree(
    lab: LabInfo, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    settings = load(lab.config).settings
    laboratory.inject(Path(lab.dir), wanted)
    now = datetime.now(UTC)
    days = Window(now - timedelta(days=9), now)
    options = ReconcileOptions(window=days, look_for_causes=False, fresh=True)
    compared = reconcile(settings, options, Deadline.after(20)).report
    path = status(settings, days, Deadline.after(20), Asking(probe=False, objects=True))
    laboratory.heal(Path(lab.dir))
    wrong = {
        check.id
        for check in (*compared.checks, *path.checks)
        if check.status not in (Status.OK, Status.SKIP)
    }
    # An order that was paid twice is what that scenario is about.
    assert wrong - {"reconcile.duplicate_charge"} == set()


@pytest.mark.parametrize(
    ("intent", "status_", "types", "kinds"),
    [
        (
            PAID,
            "succeeded",
            ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"],
            ["payment_intent", "charge", "balance_transaction"],
        ),
        (
            DECLINED,
            "failed",
            ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"],
            ["payment_intent", "charge"],
        ),
        (
            WAITING,
            None,
            ["payment_intent.created", "payment_intent.requires_action"],
            ["payment_intent"],
        ),
    ],
)
def test_what_stripe_has_of_a_payment(
    intent: str, status_: str | None, types: list[str], kinds: list[str]
) -> None:
    made = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
    row: dict[str, Any] = {
        "id": "0b1e4a52-0000-4000-8000-000000000001",
        "order_id": "order-1",
        "processor_ref": "pi_1",
        "customer_id": "cus_1",
        "customer_email": "a@example.com",
        "amount": 4_990,
        "currency": "eur",
        "failure_code": "insufficient_funds",
        "failure_message": "Your card has insufficient funds.",
        "created_at": made,
        "completed_at": made + timedelta(seconds=2) if intent == PAID else None,
    }
    told = at_stripe(row, intent, random.Random(1), livemode=False, api_version="2024-06-20")
    assert [one["object"] for one in told.objects] == kinds
    assert [one["type"] for one in told.events] == types
    payment = told.objects[0]
    assert (payment["id"], payment["status"], payment["amount"]) == ("pi_1", intent, 4_990)
    assert payment["metadata"] == {"order_id": "order-1", "payment_id": row["id"]}
    assert told.events[0]["data"]["object"]["latest_charge"] is None
    assert [one["created"] for one in told.events] == sorted(one["created"] for one in told.events)
    if status_ is None:
        return
    charge = told.objects[1]
    assert (charge["id"], charge["status"]) == (payment["latest_charge"], status_)
    if intent == DECLINED:
        error = payment["last_payment_error"]
        assert (error["code"], error["decline_code"]) == ("card_declined", "insufficient_funds")
        assert charge["outcome"]["reason"] == "insufficient_funds"
        return
    line = told.objects[2]
    assert (line["id"], line["source"]) == (charge["balance_transaction"], charge["id"])
    assert line["net"] == line["amount"] - line["fee"]
    assert (line["currency"], line["exchange_rate"] > 1) == ("usd", True)
