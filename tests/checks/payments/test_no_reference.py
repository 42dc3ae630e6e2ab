"""Payments that the ledger calls paid, and that have no Stripe id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payops.checks.payments.no_reference import CHECK, Facts
from payops.errors import NotConfiguredError
from tools import LEDGER, NOW, assert_is, before, fake_context, gathered, judged, outcome, settings

COLUMNS: Any = LEDGER["columns"]
MAPPED = {**LEDGER, "columns": {**COLUMNS, "processor_ref": "ref"}}


@pytest.mark.parametrize(
    ("paid", "count", "status", "word"),
    [
        (0, 0, "OK", "nothing to judge"),
        (20, 0, "OK", "each of 20 paid payments in the last hour has its Stripe id"),
        (20, 1, "WARN", "1 of 20 paid payments in the last hour have no Stripe id"),
        (20, 10, "WARN", "10 of 20"),
        (20, 11, "CRIT", "11 of 20"),
    ],
)
def test_around_each_limit(paid: int, count: int, status: str, word: str) -> None:
    since = before(minutes=9) if count else None
    result = judged(CHECK, Facts(NOW, 3600, paid, count, since, ("paid",)))
    assert_is(status, result, word)
    assert result.since == since
    assert len(result.evidence) == bool(count)


def test_gather_counts_what_is_paid(postgres: Any) -> None:
    rows = [
        replace(outcome("succeeded", 9, raw="paid"), without_reference=2),
        replace(outcome("refunded", 1, raw="back"), without_reference=1),
        replace(outcome("pending", 5), without_reference=5),
        replace(outcome("failed", 5), without_reference=5),
    ]
    configured = settings(ledgers={"payments": MAPPED})
    found = gathered(CHECK, fake_context(configured, postgres=postgres(NOW, rows)))
    assert (found.paid, found.count, found.statuses) == (10, 3, ("back", "paid"))
    bare = settings(ledgers={"payments": LEDGER})
    with pytest.raises(NotConfiguredError, match="processor_ref"):
        gathered(CHECK, fake_context(bare, postgres=postgres(NOW, rows)))
