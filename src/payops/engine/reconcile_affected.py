"""`--affected`: whom the findings concern and what they have lived through, for whoever writes to
them. A file that only its owner may read, and never the report: it names people."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.discrepancy import MatchClass
from payops.engine.reconcile_compared import Compared
from payops.errors import SourceError, UsageError
from payops.reconcile.report import stripe_id
from payops.reconcile.totals import Row

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.ledger_stats import FailedPayment
    from payops.sources.postgres import PostgresSource

_HEADER = ("key", "contact", "amount", "currency", "what", "class", "stripe_id")
_HAPPENED = {
    MatchClass.MISSING_IN_LEDGER: "charged; the payment is not recorded",
    MatchClass.DUPLICATE_CHARGE: "charged twice for one order",
    MatchClass.REFUND_MISSING: "refund not recorded",
    MatchClass.REFUND_PARTIAL_MISMATCH: "refunded another amount than recorded",
    MatchClass.AMOUNT_MISMATCH: "charged another amount than recorded",
    MatchClass.CURRENCY_MISMATCH: "charged in another currency than recorded",
    MatchClass.PARTIAL_CAPTURE: "charged in part",
    MatchClass.DISPUTE_UNRECORDED: "disputed the payment",
    MatchClass.MISSING_IN_STRIPE: "recorded; Stripe knows no such payment",
    MatchClass.NO_REFERENCE: "recorded without a payment at Stripe",
    MatchClass.DUPLICATE_IN_LEDGER: "recorded twice",
}


def write_affected(compared: Compared, path: Path, rows: Sequence[Row]) -> list[str]:
    """Write a line for each finding; gives lines for a person on what was done.

    Raises UsageError when the file cannot be written.
    """
    whom, notes = _contacts(compared, rows)
    lines = []
    for row in rows:
        match_class = MatchClass(row["class"])
        contact = whom.get((row["ledger"] or "", row["key"] or ""), "")
        money = row["money"] if row["money"] is not None else row["minor"]
        what = _what(row, match_class)
        line = (row["key"] or "", contact, money, row["currency"] or "", what)
        lines.append((*line, match_class.value, stripe_id(row)))
    _write_private(path, _HEADER, lines)
    return [*notes, f"affected: {len(lines):,} in {path}"]


def _contacts(
    compared: Compared, rows: Sequence[Row]
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """The contact by ledger and key, and of which ledgers they could not be read."""
    found: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    if compared.settings.postgres is None:
        return found, notes
    from payops.sources.lookup import contacts

    for name, ledger in compared.ledgers.items():
        keys = [row["key"] for row in rows if row["ledger"] == name and row["key"]]
        if not keys or ledger.kind != "payments":
            continue
        try:
            asked = contacts(compared.sources.postgres, ledger, keys)
        except SourceError as error:
            notes.append(f"affected: contacts of {name} could not be read: {error}")
            continue
        found.update(((name, key), contact) for key, contact in asked.items())
    return found, notes


def _what(row: Row, match_class: MatchClass) -> str:
    if match_class is MatchClass.STATUS_MISMATCH:
        state = row.get("true_state") or row["stripe_status"]
        return f"recorded as {row['local_status']}; at Stripe {state}"
    happened = _HAPPENED.get(match_class)
    return happened or match_class.value.replace("_", " ")


def add_failed(
    source: PostgresSource,
    ledger: Ledger,
    path: Path,
    failed: Sequence[FailedPayment],
    *,
    behind: bool,
) -> list[str]:
    """Put payments that failed (S2-40) into the file, `behind` what this run has written there:
    each of them once, and none that is there already. Gives lines for a person. Raises UsageError
    when it cannot be written."""
    from payops.sources.lookup import contacts

    rows, there = _read(path) if behind else ([], set())
    new = [one for one in failed if one.id not in there]
    try:
        whom = contacts(source, ledger, [one.id for one in new])
    except SourceError as error:
        whom, note = {}, [f"affected: contacts could not be read: {error}"]
    else:
        note = []
    for one in new:
        money = (one.amount.minor, one.amount.currency) if one.amount else ("", "")
        why = f"failed: {one.failure_code}" if one.failure_code else "failed"
        rows.append((one.id, whom.get(one.id, ""), *money, why, "failed", one.processor_ref or ""))
    _write_private(path, _HEADER, rows)
    return [*note, f"affected: {len(new):,} that failed, in {path}"]


def _read(path: Path) -> tuple[list[Sequence[object]], set[str]]:
    """The file's rows and their keys; of none nothing."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [*rows], {row[0] for row in rows if row}


def _write_private(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file that only its owner may read. Raises UsageError when it cannot be written."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), 0o600)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise UsageError(f"--affected: {path}: {error.strerror or error}") from None
