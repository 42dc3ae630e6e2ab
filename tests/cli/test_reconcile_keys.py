"""Rows that lost their reference, and that no metadata names, are found by the request's key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from command import assert_calm, payops
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo

LOST = """
UPDATE payments SET processor_ref = NULL, status = 'pending', completed_at = NULL
WHERE id IN (
    SELECT id FROM payments
    WHERE status = 'succeeded'
        AND created_at BETWEEN now() - interval '20 hours' AND now() - interval '2 hours'
    ORDER BY created_at LIMIT 3
)
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, LabInfo]]:
    """A configuration without references in Stripe's metadata, for a lab with three such rows."""
    directory = tmp_path_factory.mktemp("keys") / "lab"
    info = laboratory.up(laboratory.LabOptions(dir=directory, payments=200))
    with psycopg.connect(info.postgres_dsn, autocommit=True) as connection:
        assert connection.execute(LOST).rowcount == 3
    path = directory.parent / "payops.yaml"
    nothing = '\nledgers: {payments: {references: {local_id: "", order_id: ""}}}\n'
    path.write_text(Path(info.config).read_text() + nothing)
    path.chmod(0o600)
    yield path, info
    laboratory.down(directory)


def reconciled(path: Path) -> dict[str, Any]:
    done = payops("--config", path, "reconcile", "--since", "24h", "-o", "json")
    assert_calm(done)
    report: dict[str, Any] = json.loads(done.out)
    return report


def test_they_are_matched_by_the_key_of_the_request(config: tuple[Path, LabInfo]) -> None:
    report = reconciled(config[0])
    found = [(each["class"], each["matched_by"]) for each in report["discrepancies"]]
    assert found == [("status_mismatch", "idempotency_key")] * 3


def test_a_key_that_may_not_read_events_hides_nothing_else(config: tuple[Path, LabInfo]) -> None:
    path, info = config
    stripe = Control("Stripe simulator", info.stripe_control_url)
    stripe.post("/faults", [{"kind": "status", "status": 403, "match": "GET /v1/events"}])
    try:
        report = reconciled(path)
    finally:
        stripe.put("/faults", [])
    classes = sorted(each["class"] for each in report["discrepancies"])
    assert classes == ["missing_in_ledger"] * 3 + ["no_reference"] * 3
