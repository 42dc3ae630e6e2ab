"""`payops reconcile` as an operator runs it: healthy, in incidents, one side down, each output."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from command import Finished, assert_calm, payops
from payops.domain.discrepancy import MatchClass
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@contextmanager
def injected(lab: LabInfo, scenario: str) -> Iterator[None]:
    laboratory.inject(Path(lab.dir), scenario)
    try:
        yield
    finally:
        laboratory.heal(Path(lab.dir), scenario)


@contextmanager
def changed(lab: LabInfo, *statements: str) -> Iterator[None]:
    """The ledger changed by hand, and put back afterwards."""
    with psycopg.connect(lab.postgres_dsn, autocommit=True) as connection:
        for table in ("payments", "refunds"):
            connection.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        try:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]
            yield
        finally:
            connection.execute("TRUNCATE payments, refunds")
            for table in ("payments", "refunds"):
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
                connection.execute(f"DROP TABLE kept_{table}")


def found(done: Finished) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.out)
    return document


def classes(document: dict[str, Any]) -> dict[str, int]:
    return dict(Counter(each["class"] for each in document["discrepancies"]))


def test_a_healthy_lab_matches_whole(lab: LabInfo, state: dict[str, str]) -> None:
    done = payops("--config", lab.config, "reconcile", "--since", "24h", "-o", "json", env=state)
    assert_calm(done)
    assert done.code == 0
    document = found(done)
    assert document["status"] == "OK"
    assert document["discrepancies"] == []
    assert set(document["totals"]) == {each.value for each in MatchClass}
    matched = document["totals"]["matched"]
    assert matched["count"] == matched["stripe"]["count"] == matched["ledger"]["count"] > 50
    assert matched["stripe"]["money"] == matched["ledger"]["money"] == matched["money"]
    others = [name for name, total in document["totals"].items() if total["count"]]
    assert others == ["matched"]


def test_payments_stuck_pending_are_found_exactly(lab: LabInfo, state: dict[str, str]) -> None:
    with injected(lab, "payments-stuck-pending"):
        done = payops("--config", lab.config, "reconcile", "-o", "json", env=state)
    assert done.code == 2
    document = found(done)
    assert classes(document) == {"status_mismatch": 14}
    for each in document["discrepancies"]:
        assert (each["local_status"], each["stripe_status"]) == ("pending", "succeeded")
        assert (each["severity"], each["matched_by"]) == ("CRIT", "processor_ref")
        assert "worker crash" in each["cause"]
        assert each["money"]["minor"] > 0
        assert each["actions"]
    sums = [each["money"]["minor"] for each in document["discrepancies"]]
    assert sums == sorted(sums, reverse=True)


def test_a_dead_webhook_endpoint_is_named_as_the_cause(lab: LabInfo, state: dict[str, str]) -> None:
    with injected(lab, "webhook-endpoint-down"):
        done = payops("--config", lab.config, "reconcile", "-o", "json", env=state)
    assert done.code == 2
    document = found(done)
    assert set(classes(document)) <= {"status_mismatch", "refund_missing", "dispute_unrecorded"}
    pending = [each for each in document["discrepancies"] if each["local_status"] == "pending"]
    assert pending
    assert all("lost webhook" in each["cause"] for each in pending)
    in_flight = document["totals"]["in_flight"]["count"]
    assert in_flight + len(document["discrepancies"]) >= 12


def test_rows_that_are_gone_are_asked_for_and_told(lab: LabInfo, state: dict[str, str]) -> None:
    gone = (
        "DELETE FROM payments WHERE id IN (SELECT id FROM payments WHERE status = 'succeeded' "
        "AND created_at BETWEEN now() - interval '20 hours' AND now() - interval '1 hour' "
        "ORDER BY created_at LIMIT 3)"
    )
    made_up = (
        "INSERT INTO payments (id, order_id, amount, currency, status, processor_ref, created_at) "
        "VALUES (gen_random_uuid(), 'o-1', 500, 'usd', 'succeeded', 'pi_mock_1', "
        "now() - interval '2 hours')"
    )
    old = (
        "UPDATE payments SET created_at = created_at - interval '40 days' WHERE id IN (SELECT id "
        "FROM payments WHERE status = 'succeeded' AND created_at BETWEEN now() - interval '9 hours'"
        " AND now() - interval '1 hour' ORDER BY created_at DESC LIMIT 2)"
    )
    with changed(lab, gone, made_up, old):
        done = payops("--config", lab.config, "reconcile", "-o", "json", env=state)
    document = found(done)
    assert classes(document) == {"missing_in_ledger": 3, "missing_in_stripe": 1}
    assert document["unconfirmed"]["count"] == 0
    evidence = [each["evidence"] for each in document["discrepancies"]]
    assert all("asked for by id: not there" in [one["what"] for one in each] for each in evidence)


def test_a_plan_can_be_made_of_it_and_whom_it_concerns(
    lab: LabInfo, state: dict[str, str], tmp_path: Path
) -> None:
    plan, affected = tmp_path / "plan.json", tmp_path / "affected.csv"
    with injected(lab, "payments-stuck-pending"):
        done = payops(
            "--config", lab.config, "reconcile", "--save-plan", plan, "--affected", affected,
            "--limit", "2", env=state,
        )  # fmt: skip
    assert done.code == 2
    assert "DIFF     … 12 more" in done.out
    assert len(json.loads(plan.read_text())["changes"]) == 14
    assert stat.S_IMODE(affected.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(affected.read_text())))
    assert len(rows) == 14
    assert all("@" in row["contact"] and row["what"] for row in rows)
    assert "@" not in done.out


def test_only_some_classes_are_told_and_judged(lab: LabInfo, state: dict[str, str]) -> None:
    with injected(lab, "payments-stuck-pending"):
        done = payops(
            "--config", lab.config, "reconcile", "--only", "missing_in_ledger,duplicate-charge",
            "-o", "json", env=state,
        )  # fmt: skip
    assert done.code == 0
    document = found(done)
    assert [check["id"] for check in document["checks"]] == [
        "reconcile.missing_in_ledger",
        "reconcile.duplicate_charge",
    ]


def test_check_mode_is_a_nagios_line(lab: LabInfo, state: dict[str, str]) -> None:
    with injected(lab, "payments-stuck-pending"):
        done = payops("--config", lab.config, "reconcile", "--check", env=state)
    assert done.code == 2
    assert done.err == ""
    assert done.out.startswith("PAYOPS RECONCILE CRITICAL - 1 of 18 checks: ")


def test_limits_can_be_moved(lab: LabInfo, state: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "payops.yaml"
    limits = (
        "\nthresholds: {reconcile.status_mismatch: {count: {warn: 10}, critical: {crit: 20}}}\n"
    )
    config.write_text(Path(lab.config).read_text() + limits)
    with injected(lab, "payments-stuck-pending"):
        done = payops("--config", config, "reconcile", env=state)
    assert done.code == 1
    assert payops("--config", config, "health", env=state).code == 0


@pytest.mark.parametrize("side", ["stripe", "postgres"])
def test_a_side_that_is_down_is_crit_and_says_what_helps(
    side: str, lab: LabInfo, state: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "payops.yaml"
    text = Path(lab.config).read_text()
    if side == "stripe":
        text = text.replace(lab.stripe_url, "http://127.0.0.1:9")
    else:
        text = text.replace("\npostgres:\n", "\npostgres:\n  # moved\n").replace(
            "dsn: ", "dsn: postgresql://127.0.0.1:9/none # ", 1
        )
    config.write_text(text)
    done = payops("--config", config, "reconcile", env=state)
    assert done.code == 2, done.out + done.err
    assert_calm(done)
    assert f"{side} does not answer" in done.out
    assert f"--{'stripe' if side == 'stripe' else 'ledger'}-file" in done.out
    if side == "stripe":
        assert "succeeded=" in done.out
        config.write_text(text + "\nunreachable: UNKNOWN\n")
        assert payops("--config", config, "reconcile", env=state).code == 3


def test_a_table_that_is_not_there_is_one_question_without_an_answer(
    lab: LabInfo, state: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "payops.yaml"
    config.write_text(Path(lab.config).read_text() + "\nledgers: {payments: {table: not_there}}\n")
    done = payops("--config", config, "reconcile", "-o", "json", env=state)
    assert done.code == 3, done.out + done.err
    (check,) = found(done)["checks"]
    assert (check["id"], check["status"]) == ("reconcile.postgres", "UNKNOWN")
    assert "not_there" in check["summary"]


def test_csv_is_a_table(lab: LabInfo, state: dict[str, str]) -> None:
    with injected(lab, "payments-stuck-pending"):
        done = payops("--config", lab.config, "reconcile", "-o", "csv", env=state)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == 14
    assert {row["class"] for row in rows} == {"status_mismatch"}


def test_show_matched_lists_what_is_well(lab: LabInfo, state: dict[str, str]) -> None:
    with injected(lab, "payments-stuck-pending"):
        done = payops(
            "--config", lab.config, "reconcile", "--show-matched", "--until", "1h", "-o", "json",
            env=state,
        )  # fmt: skip
    assert set(classes(found(done))) >= {"status_mismatch"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "missing_in_legder"], "did you mean missing_in_ledger"),
        (["--since", "1h", "--until", "2h"], "is not after --since"),
        (["--since", "tomorrow"], "--since"),
        (["--ledger", "paymnets"], "did you mean payments"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    arguments: list[str], said: str, lab: LabInfo, state: dict[str, str]
) -> None:
    done = payops("--config", lab.config, "reconcile", *arguments, env=state)
    assert done.code == 3
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_the_spool_holds_nothing_that_others_may_read(lab: LabInfo, state: dict[str, str]) -> None:
    payops("--config", lab.config, "reconcile", env=state)
    folder = Path(state["XDG_STATE_HOME"]) / "payops" / "spool"
    assert list(folder.rglob("*.csv"))
    for path in folder.rglob("*"):
        assert not path.stat().st_mode & 0o077, path
    assert not list(folder.rglob(".match")), "what was spilled is gone"


def test_a_hung_stripe_ends_with_the_deadline(lab: LabInfo, state: dict[str, str]) -> None:
    stripe = Control("Stripe simulator", lab.stripe_control_url)
    stripe.post("/faults", [{"kind": "hang"}])
    try:
        done = payops("--config", lab.config, "reconcile", "--deadline", "4s", env=state)
    finally:
        stripe.put("/faults", [])
    assert done.code == 2
    assert done.seconds < 8
    assert "stripe does not answer: timed out" in done.out
    assert "succeeded=" in done.out


def test_a_slow_stripe_is_no_stripe_that_is_down(lab: LabInfo, state: dict[str, str]) -> None:
    stripe = Control("Stripe simulator", lab.stripe_control_url)
    stripe.post("/faults", [{"kind": "latency", "ms": 3000}])
    try:
        done = payops("--config", lab.config, "reconcile", "--deadline", "5s", env=state)
    finally:
        stripe.put("/faults", [])
    assert done.seconds < 10
    assert done.code == 3, done.out
    assert "not over before the deadline" in done.out
