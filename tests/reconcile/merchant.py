"""A made-up merchant's spool: rows of both sides, right or wrong in a known way."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from payops.config.ledger import Ledger
from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.window import Window
from payops.reconcile.match import Match, MatchOptions
from payops.reconcile.spool_schema import DISPUTES, INTENTS, LEDGER, REFUNDS, SESSIONS
from payops.reconcile.totals import Row, Totals

NOW = datetime(2026, 2, 11, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=24), NOW)
COLUMNS = {"intents": INTENTS, "refunds": REFUNDS, "disputes": DISPUTES, "sessions": SESSIONS}

PAYMENTS: dict[str, Any] = {
    "table": "payments",
    "columns": {"id": "id", "status": "status", "amount": "amount", "created_at": "created_at"},
    "statuses": {
        word: [word]
        for word in (
            "pending processing requires_action succeeded failed canceled refunded "
            "partially_refunded disputed"
        ).split()
    },
}
REFUND_LEDGER: dict[str, Any] = {
    "table": "refunds",
    "kind": "refunds",
    "columns": {"id": "id", "status": "status", "amount": "amount", "created_at": "created_at"},
    "statuses": {word: [word] for word in ("pending", "succeeded", "failed", "canceled")},
}


def ledger(base: dict[str, Any] = PAYMENTS, /, **changes: Any) -> Ledger:
    """A mapped ledger, as a configuration would have it."""
    return msgspec.convert({**base, **changes}, Ledger)


REFERENCE = {"payments": ledger(), "refunds": ledger(REFUND_LEDGER)}


def us(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


@dataclass
class Merchant:
    """Collects rows by kind. Every `add` returns the row, to be changed at will."""

    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            kind: []
            for kind in (
                "intents", "refunds", "disputes", "sessions", "ledger-payments", "ledger-refunds",
            )
        }
    )  # fmt: skip
    number: int = 0

    def intent(
        self, at: datetime, status: str = "succeeded", amount: int = 1999, **more: Any
    ) -> dict[str, Any]:
        self.number += 1
        n = self.number
        paid = status == "succeeded"
        row: dict[str, Any] = {
            "id": f"pi_{n:024}",
            "created_us": us(at.replace(microsecond=0)),
            "status": status,
            "amount": amount,
            "amount_received": amount if paid else 0,
            "currency": "usd",
            "livemode": "true",
            "customer": f"cus_{n}",
            "meta_local": f"row-{n}",
            "meta_order": f"order-{n}",
            "charge": f"ch_{n:024}" if paid else None,
            "charge_status": "succeeded" if paid else None,
            "charge_created_us": us(at.replace(microsecond=0)) + 1_000_000 if paid else None,
            "amount_captured": amount if paid else None,
            "amount_refunded": 0 if paid else None,
            "disputed": "false" if paid else None,
        }
        row.update(more)
        self.rows["intents"].append(row)
        return row

    def row(
        self, intent: dict[str, Any] | None, at: datetime, status: str = "succeeded", **more: Any
    ) -> dict[str, Any]:
        self.number += 1
        n = self.number
        row: dict[str, Any] = {
            "key": f"key-{n}",
            "status": status,
            "amount": "1999",
            "currency": "usd",
            "created_us": us(at) - 250_000,
            "updated_us": us(at),
            "order_id": f"order-of-{n}",
            "idempotency_key": f"pay-{n}",
        }
        if intent is not None:
            row |= {
                "key": intent["meta_local"],
                "amount": str(intent["amount"]),
                "currency": intent["currency"],
                "processor_ref": intent["id"],
                "order_id": intent["meta_order"],
                "customer_id": intent["customer"],
            }
        row.update(more)
        self.rows["ledger-payments"].append(row)
        return row

    def pair(
        self,
        at: datetime,
        local: str = "succeeded",
        stripe: str = "succeeded",
        amount: int = 1999,
        **intent: Any,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        made = self.intent(at, stripe, amount, **intent)
        return made, self.row(made, at, local)

    def refund(
        self,
        intent: dict[str, Any],
        at: datetime,
        amount: int,
        status: str = "succeeded",
        **more: Any,
    ) -> dict[str, Any]:
        self.number += 1
        if status == "succeeded":
            intent["amount_refunded"] = (intent["amount_refunded"] or 0) + amount
        row = {
            "id": f"re_{self.number:024}",
            "created_us": us(at),
            "status": status,
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "charge": intent["charge"],
            **more,
        }
        self.rows["refunds"].append(row)
        return row

    def refund_row(
        self, refund: dict[str, Any], payment: dict[str, Any] | None, **more: Any
    ) -> dict[str, Any]:
        self.number += 1
        row = {
            "key": f"refund-{self.number}",
            "status": "succeeded",
            "amount": str(refund["amount"]),
            "currency": refund["currency"],
            "created_us": refund["created_us"] + 2_000_000,
            "processor_ref": refund["id"],
            "payment_key": payment["key"] if payment else None,
            **more,
        }
        self.rows["ledger-refunds"].append(row)
        return row

    def dispute(
        self, intent: dict[str, Any], at: datetime, status: str = "needs_response"
    ) -> dict[str, Any]:
        self.number += 1
        intent["disputed"] = "true"
        row = {
            "id": f"dp_{self.number:024}",
            "created_us": us(at),
            "status": status,
            "amount": intent["amount"],
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "charge": intent["charge"],
        }
        self.rows["disputes"].append(row)
        return row

    def write(self, folder: Path, *, files: int = 1, shuffle: random.Random | None = None) -> Path:
        """The spool on disk, each kind in so many files."""
        for kind, known in self.rows.items():
            if not known:
                continue
            where = folder / kind
            where.mkdir(parents=True, exist_ok=True)
            rows = list(known)
            if shuffle:
                shuffle.shuffle(rows)
            for index in range(files):
                write_csv(where / f"{index}.csv", COLUMNS.get(kind, LEDGER), rows[index::files])
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@dataclass
class Found:
    """What a match found: its exceptions and its totals."""

    findings: list[Row]
    totals: Totals

    @property
    def classes(self) -> dict[str, int]:
        return dict(Counter(row["class"] for row in self.findings))

    def only(self) -> Row:
        assert len(self.findings) == 1, self.classes
        return self.findings[0]

    def counted(self) -> dict[str, int]:
        """Classes that have any finding or payment, harmless ones too."""
        return {
            each.value: total.count for each, total in self.totals.payments.items() if total.count
        }


def match(
    folder: Path,
    ledgers: dict[str, Ledger] | None = None,
    *,
    window: Window = WINDOW,
    now: datetime = NOW,
    absent: Iterable[tuple[str, str]] = (),
    livemode: bool | None = True,
    knows_refunds: bool = True,
) -> Found:
    options = MatchOptions(
        window, now, ledgers or REFERENCE, livemode=livemode, knows_refunds=knows_refunds
    )
    with Match(folder, options) as made:
        made.run(absent)
        wanted = [each for each in MatchClass if each not in HARMLESS]
        return Found(list(made.findings(wanted)), made.totals())
