"""What each preset's page says that `payops reconcile` finds, made in a lab of that system and
found: one lab and one reconciliation a system, each quirk with a payment of its own."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from command import payops
from payops.config.load import settings_from
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo

PAY = "payments_paymenttransaction"


@dataclass
class Broken:
    """A lab to be broken. `payment` gives paid rows that no other quirk has, `stripe` changes an
    object, `refund` refunds as the Dashboard does."""

    info: LabInfo
    db: psycopg.Connection[Any]
    control: Control
    key: str
    free: list[dict[str, Any]] = field(default_factory=list)

    def payment(self) -> dict[str, Any]:
        return self.free.pop()

    def sql(self, text: str, *values: object) -> None:
        assert self.db.execute(text.encode(), values).rowcount > 0, "the quirk was not made"

    def stripe(self, id_: str, **changes: Any) -> None:
        self.control.put("/objects", [{**self.control.get(f"/objects/{id_}"), **changes}])

    def intent_fails(self, intent: str, status: str) -> None:
        """As if Stripe had never taken the money."""
        charge = self.control.get(f"/objects/{intent}")["latest_charge"]
        self.control.put("/objects", {"remove": [charge]})
        self.stripe(intent, status=status, amount_received=0, latest_charge=None)

    def refund(self, intent: str, amount: int | None = None) -> None:
        asked = {"payment_intent": intent, **({"amount": str(amount)} if amount else {})}
        request = urllib.request.Request(
            f"{self.info.stripe_url}/v1/refunds",
            urllib.parse.urlencode(asked).encode(),
            {"Authorization": f"Bearer {self.key}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            made = json.loads(answer.read())
        assert made["status"] == "succeeded"
        self.stripe(made["id"], created=made["created"] - 3600)  # no longer in flight

    def dispute(self, intent: str) -> None:
        about = self.control.get(f"/objects/{intent}")
        charge = about["latest_charge"]
        self.stripe(charge, disputed=True)
        told = {
            "id": f"dp_{intent[3:]}",
            "object": "dispute",
            "charge": charge,
            "payment_intent": intent,
            "status": "needs_response",
            **{name: about[name] for name in ("amount", "currency", "created", "livemode")},
        }
        self.control.put("/objects", [told])


def debtflow(lab: Broken) -> list[str]:
    table = "payments_payment"
    lab.intent_fails(lab.payment()["processor_ref"], "requires_payment_method")
    lab.intent_fails(lab.payment()["processor_ref"], "canceled")
    # Stripe's answer was lost: found by metadata.payment_id.
    lost = "UPDATE {} SET status = 'failed', processor_ref = NULL, metadata = %s WHERE id = %s"
    for kept in ({"error": "timed out"}, {"reconciliation": "No processor reference"}):
        lab.sql(lost.format(table), json.dumps(kept), lab.payment()["id"])
    partly, disputed = lab.payment(), lab.payment()
    lab.refund(partly["processor_ref"], 100)
    lab.sql(f"UPDATE {table} SET status = 'refunded' WHERE id = %s", partly["id"])
    lab.dispute(disputed["processor_ref"])
    return [*["status_mismatch"] * 4, "refund_partial_mismatch", "dispute_unrecorded"]


def ireti(lab: Broken) -> list[str]:
    lab.sql(f"DELETE FROM {PAY} WHERE id = %s", lab.payment()["id"])
    lab.refund(lab.payment()["stripe_payment_intent_id"])  # process-refund, or the Dashboard
    lab.sql(
        "UPDATE payments_paymentrefund SET status = 'pending' WHERE id = ("
        "SELECT id FROM payments_paymentrefund WHERE created_at > now() - interval '40 hours' "
        "ORDER BY created_at LIMIT 1)"
    )
    late, yen, disputed = lab.payment(), lab.payment(), lab.payment()
    lab.sql(f"UPDATE {PAY} SET status = 'processing' WHERE id = %s", late["id"])
    lab.sql(f"UPDATE {PAY} SET currency = 'JPY', amount = 500 WHERE id = %s", yen["id"])
    intent = yen["stripe_payment_intent_id"]
    charge = lab.control.get(f"/objects/{intent}")["latest_charge"]
    yen_at_stripe = {"currency": "jpy", "amount": 50_000}
    lab.stripe(intent, **yen_at_stripe, amount_received=50_000)
    lab.stripe(charge, **yen_at_stripe, amount_captured=50_000)
    lab.dispute(disputed["stripe_payment_intent_id"])
    first, second = lab.payment(), lab.payment()  # a double click: two intents for one sale
    lab.sql(
        f"UPDATE {PAY} SET transaction_id = %s, amount = %s, currency = 'usd', created_at = %s "
        "WHERE id = %s",
        *(first["transaction_id"], first["amount"], first["created_at"], second["id"]),
    )
    same = lab.control.get(f"/objects/{first['stripe_payment_intent_id']}")
    twin = lab.control.get(f"/objects/{second['stripe_payment_intent_id']}")
    money = {"amount": same["amount"], "currency": same["currency"], "created": same["created"] + 2}
    lab.stripe(twin["id"], **money, amount_received=same["amount"], metadata=same["metadata"])
    lab.stripe(twin["latest_charge"], **money, amount_captured=same["amount"])
    return [
        *("missing_in_ledger", "refund_missing", "status_mismatch", "status_mismatch"),
        *("amount_mismatch", "dispute_unrecorded", "duplicate_charge"),
    ]


def edfinance(lab: Broken) -> list[str]:
    table = '"Transaction"'
    open_ = (
        f"UPDATE {table} SET status = 'PROCESSING', \"stripePaymentIntentId\" = NULL, "
        '"completedAt" = NULL WHERE id = %s'
    )
    lab.sql(open_, lab.payment()["id"])  # the event was refused: paid, and PROCESSING
    # It died before the session was stored, whose metadata still knows the row; a user is deleted.
    unnamed = open_.replace("PROCESSING", "PENDING").replace(
        "NULL, ", 'NULL, "stripeSessionId" = NULL, ', 1
    )
    lab.sql(unnamed, lab.payment()["id"])
    lab.sql(f"DELETE FROM {table} WHERE id = %s", lab.payment()["id"])
    expired, unpaid, unknown, partly, disputed = (lab.payment() for _ in range(5))
    lab.sql(open_, expired["id"])
    intent = expired["stripePaymentIntentId"]
    charge = lab.control.get(f"/objects/{intent}")["latest_charge"]
    lab.control.put("/objects", {"remove": [intent, charge]})
    gone = {"status": "expired", "payment_status": "unpaid", "payment_intent": None}
    lab.stripe(expired["stripeSessionId"], **gone)
    lab.intent_fails(unpaid["stripePaymentIntentId"], "processing")
    lab.stripe(unpaid["stripeSessionId"], payment_status="unpaid")
    lab.sql(
        f'INSERT INTO {table} (id, "userId", "courseId", amount, currency, status, '
        '"stripePaymentIntentId", "createdAt", "updatedAt", "completedAt") '
        'SELECT gen_random_uuid(), "userId", "courseId", amount, currency, status, '
        '\'pi_that_a_buyer_made_up\', "createdAt", "updatedAt", "completedAt" '
        f"FROM {table} WHERE id = %s",
        unknown["id"],
    )
    lab.refund(partly["stripePaymentIntentId"], 1000)
    lab.sql(f"UPDATE {table} SET status = 'REFUNDED' WHERE id = %s", partly["id"])
    lab.dispute(disputed["stripePaymentIntentId"])
    return [
        *["status_mismatch"] * 4,
        "missing_in_ledger",
        *("missing_in_stripe", "refund_partial_mismatch", "dispute_unrecorded"),
    ]


def bookedbarber(lab: Broken) -> list[str]:
    table = "payments"
    # Failed, then paid on the same PaymentIntent; and paid, then overwritten.
    for _ in range(2):
        lab.sql(f"UPDATE {table} SET status = 'failed' WHERE id = %s", lab.payment()["id"])
    lab.refund(lab.payment()["stripe_payment_intent_id"])
    lab.dispute(lab.payment()["stripe_payment_intent_id"])
    copied = (
        f"INSERT INTO {table} (user_id, barber_id, appointment_id, amount, status, created_at, "
        "updated_at, stripe_payment_intent_id) SELECT user_id, barber_id, NULL, amount, "
        f"status, created_at, updated_at, %s FROM {table} WHERE id = %s"
    )
    twin = lab.payment()
    lab.sql(copied, twin["stripe_payment_intent_id"], twin["id"])
    lab.sql(copied, "pi_mock_1763600000", lab.payment()["id"])
    return [
        *("status_mismatch", "status_mismatch", "refund_missing", "dispute_unrecorded"),
        *("duplicate_in_ledger", "missing_in_stripe"),
    ]


QUIRKS: dict[str, Callable[[Broken], list[str]]] = {
    "debtflow": debtflow,
    "ireti-pos": ireti,
    "v-edfinance": edfinance,
    "bookedbarber": bookedbarber,
}


@pytest.fixture(params=QUIRKS)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broken]:
    place = tmp_path / "lab"
    info = laboratory.up(laboratory.LabOptions(dir=place, preset=request.param, payments=120))
    key = yaml.safe_load(Path(info.config).read_text("utf-8"))["stripe"]["secret_key"]
    ledger = settings_from({"preset": request.param}).payments
    assert ledger is not None
    words = [word.lower() for word in ledger.statuses["succeeded"]]
    with psycopg.connect(info.postgres_dsn, autocommit=True) as db:
        rows = db.execute(
            f'SELECT to_jsonb(t) FROM "{ledger.table}" AS t WHERE lower(status::text) = ANY(%s) '
            f'AND t."{ledger.columns.created_at}" BETWEEN '  # none that is still in flight
            "now() - interval '40 hours' AND now() - interval '2 hours' "
            f'ORDER BY t."{ledger.columns.created_at}"',
            (words,),
        )
        free = [row[0] for row in rows.fetchall()]
        yield Broken(info, db, Control("stripe", info.stripe_control_url), key, free)
    laboratory.down(place)


def test_a_reconciliation_finds_the_system_s_quirks(lab: Broken, tmp_path: Path) -> None:
    expected = Counter(QUIRKS[lab.info.preset](lab))
    home = {"XDG_STATE_HOME": str(tmp_path)}
    asked = ("--config", lab.info.config, "reconcile", "--since", "48h", "-o", "json")
    said = payops(*asked, env=home)
    found = json.loads(said.out)["discrepancies"]
    assert Counter(one["class"] for one in found) == expected, [
        (one["class"], one["local_id"], one["stripe_id"]) for one in found
    ]
    assert said.code in (1, 2)
