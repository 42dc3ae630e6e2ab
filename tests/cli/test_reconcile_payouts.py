"""`payops reconcile payouts` on a lab: a healthy shop, and each way in which it can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from command import Finished, assert_calm, payops
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    """A lab of its own, long enough for payouts."""
    directory = tmp_path_factory.mktemp("payouts") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=200))
    laboratory.down(Path(directory))


def payouts(shop: LabInfo) -> tuple[Finished, dict[str, Any]]:
    done = payops("--config", shop.config, "reconcile", "payouts", "-o", "json")
    assert_calm(done)
    return done, json.loads(done.out)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["status"] for check in report["checks"]}


def test_on_a_healthy_shop_everything_agrees(shop: LabInfo) -> None:
    done, report = payouts(shop)
    assert done.code == 0
    assert statuses(report) == {"payouts.sum": "OK", "payouts.ledger": "OK"}
    assert report["payouts"]
    assert all(each["difference"] == 0 for each in report["payouts"])
    assert all("charge" in each["categories"] for each in report["payouts"])


@pytest.mark.parametrize("off_by", [-250, 1])
def test_a_payout_that_is_not_the_sum_of_its_lines(shop: LabInfo, off_by: int) -> None:
    stripe = Control("Stripe simulator", shop.stripe_control_url)
    payout = next(o for o in stripe.get("/objects?type=payout")["objects"] if o["automatic"])
    stripe.put("/objects", {**payout, "amount": payout["amount"] + off_by})
    try:
        done, report = payouts(shop)
    finally:
        stripe.put("/objects", payout)
    assert done.code == 2
    assert statuses(report) == {"payouts.sum": "CRIT", "payouts.ledger": "OK"}
    found = {each["id"]: each["difference"] for each in report["payouts"]}
    assert found[payout["id"]] == off_by
    assert [id_ for id_, difference in found.items() if difference] == [payout["id"]]
    (sums,) = [check for check in report["checks"] if check["id"] == "payouts.sum"]
    assert sums["money_at_risk"] == [{"currency": "usd", "minor": abs(off_by), "count": 1}]


def test_a_charge_that_was_paid_out_and_is_in_no_ledger(shop: LabInfo) -> None:
    done, report = payouts(shop)
    with psycopg.connect(shop.postgres_dsn, autocommit=True) as connection:
        row = connection.execute(
            "select processor_ref from payments where status = 'succeeded'"
            " and created_at < now() - interval '40 hours' order by created_at limit 1"
        ).fetchone()
        assert row is not None
        connection.execute(
            "update payments set processor_ref = 'pi_elsewhere' where processor_ref = %s", row
        )
        try:
            done, report = payouts(shop)
        finally:
            connection.execute(
                "update payments set processor_ref = %s where processor_ref = 'pi_elsewhere'", row
            )
    assert done.code == 2
    assert statuses(report) == {"payouts.sum": "OK", "payouts.ledger": "CRIT"}
    (told,) = [check for check in report["checks"] if check["id"] == "payouts.ledger"]
    assert row[0] in told["evidence"][0]["what"]
    assert sum(len(each["unrecorded"]) for each in report["payouts"]) == 1


def test_limits_can_be_moved(shop: LabInfo, tmp_path: Path) -> None:
    stripe = Control("Stripe simulator", shop.stripe_control_url)
    payout = next(o for o in stripe.get("/objects?type=payout")["objects"] if o["automatic"])
    config = tmp_path / "payops.yaml"
    text = Path(shop.config).read_text()

    def run(limits: str) -> Finished:
        config.write_text(f"{text}\nthresholds: {limits}\n")
        return payops("--config", config, "reconcile", "payouts", "-o", "json")

    stripe.put("/objects", {**payout, "amount": payout["amount"] + 1})
    try:
        assert run("{payouts.sum: {count: {crit: 1}}}").code == 0
        assert run("{payouts.sum: {count: {warn: 0, crit: null}}}").code == 1
        wrong = run("{payouts.sum: {amount: {crit: 1}}}")
    finally:
        stripe.put("/objects", payout)
    assert (wrong.code, wrong.out) == (3, "")
    assert "payouts.sum has no limit 'amount'" in wrong.err
    assert "payops.yaml:" in wrong.err


def test_one_dead_side_hides_only_its_own_answer(shop: LabInfo) -> None:
    laboratory.inject(Path(shop.dir), "database-down")
    try:
        done, report = payouts(shop)
    finally:
        laboratory.heal(Path(shop.dir), "database-down")
    assert statuses(report) == {"payouts.sum": "OK", "payouts.ledger": "CRIT"}
    assert done.code == 2
    laboratory.inject(Path(shop.dir), "stripe-key-invalid")
    try:
        done, report = payouts(shop)
    finally:
        laboratory.heal(Path(shop.dir), "stripe-key-invalid")
    assert statuses(report) == {"payouts.sum": "CRIT"}
    assert done.code == 2
