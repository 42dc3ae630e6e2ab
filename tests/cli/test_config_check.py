"""`payops config check` as an operator types it, and `checks:` of a file in `payops health`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from command import assert_calm, payops
from payops.lab.info import LabInfo


def written(lab: LabInfo, folder: Path, **sections: Any) -> Path:
    """The lab's configuration with keys on top."""
    whole = {**yaml.safe_load(Path(lab.config).read_text()), **sections}
    path = folder / "payops.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False))
    path.chmod(0o600)
    return path


def test_a_configuration_that_fits(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "config", "check")
    assert done.code == 0
    assert_calm(done)
    first, second = done.out.splitlines()
    assert "OK, environment lab on preset reference" in first
    assert second.startswith("it fits the database: 3 tables, ")


def test_every_misfit_is_told_at_once_with_its_line(lab: LabInfo, tmp_path: Path) -> None:
    columns = {"status": "state", "amount": "created_at"}
    ledgers = {"payments": {"columns": columns}, "refunds": {"table": "refund"}}
    checks = {"a": {"title": "a", "sql": "SELECT amout FROM payments"}}
    path = written(lab, tmp_path, ledgers=ledgers, checks=checks)
    done = payops("--config", path, "config", "check")
    assert done.code == 3
    assert_calm(done)
    assert "4 things in it do not fit:" in done.out
    lines = path.read_text().splitlines()
    for key, words in {
        "ledgers.payments.columns.status": "did you mean 'status'?",
        "ledgers.payments.columns.amount": "is of type timestamptz",
        "ledgers.refunds.table": "did you mean 'refunds'?",
        "checks.a.sql": "did you mean payments.amount?",
    }.items():
        (told,) = [line for line in done.out.splitlines() if f": {key}: " in line]
        assert words in told
        number = int(told.partition(f"{path}:")[2].partition(":")[0])
        assert key.rpartition(".")[2] in lines[number - 1]
    found = json.loads(payops("--config", path, "config", "check", "-o", "json").out)
    assert found["status"] == "UNKNOWN"
    assert [sorted(one) for one in found["misfits"]] == [["hint", "path", "what"]] * 4
    offline = payops("--config", path, "config", "check", "--offline")
    assert (offline.code, "do not fit" in offline.out) == (0, False)


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("postgresql://x:hunter2-secret@127.0.0.1:1/x", "connection refused"),
        ("postgresql://x:hunter2-secret@127.0.0.1:port/x", "postgres"),
    ],
)
def test_a_database_that_does_not_answer_is_told_and_the_rest_is_checked(
    lab: LabInfo, tmp_path: Path, dsn: str, words: str
) -> None:
    path = written(lab, tmp_path, postgres={"dsn": dsn})
    done = payops("--config", path, "config", "check")
    assert done.code == 3
    assert_calm(done)
    assert "not compared: postgres" in done.out
    assert words in done.out
    assert "hunter2" not in done.out + done.err
    path = written(lab, tmp_path, postgres={"dsn": dsn}, thresholds={"own.b": {}})
    wrong = payops("--config", path, "config", "check")
    assert (wrong.code, wrong.out) == (3, "")
    assert "there is no check 'own.b'" in wrong.err


def test_an_output_that_is_not_there(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "config", "check", "-o", "xml")
    assert done.code == 3
    assert "plain or json" in done.err


CHECKS = {
    "big": {
        "title": "A big one",
        "sql": "SELECT id, amount, currency FROM payments ORDER BY amount DESC LIMIT 3",
        "money": {"column": "amount", "currency_column": "currency"},
        "action": "Look at it",
        "command": "payops trace pi_1",
    },
    "hostile": {
        "title": "Text \x1b[31m[red]from outside",
        "sql": r"SELECT E'\x1b[2J[bold]sk_live_51Habcdefghijklmnop' AS said",
    },
    "wrong": {"title": "Wrong", "sql": "SELECT nothing FROM payments"},
    "keys": {"title": "Keys", "redis": "DBSIZE", "warn": 1_000_000},
    "elsewhere": {"title": "Elsewhere", "sql": "SELECT 1 FROM nowhere", "needs": ["nowhere"]},
}


def test_own_checks_stand_beside_payops_own(lab: LabInfo, tmp_path: Path) -> None:
    path = written(lab, tmp_path, checks=CHECKS)
    done = payops("--config", path, "health", "-o", "json")
    found = {one["id"]: one for one in json.loads(done.out)["checks"]}
    assert {id_: one["status"] for id_, one in found.items() if id_.startswith("own.")} == {
        "own.big": "WARN",
        "own.hostile": "WARN",
        "own.wrong": "UNKNOWN",
        "own.keys": "OK",
        "own.elsewhere": "SKIP",
    }
    assert done.code == 3
    others = {one["status"] for id_, one in found.items() if not id_.startswith("own.")}
    assert others <= {"OK", "SKIP"}, "one that is wrong hides nothing"
    assert sum(one["count"] for one in found["own.big"]["money_at_risk"]) == 3
    assert found["own.big"]["limits"]["count"]["warn"] == 0
    (action,) = found["own.big"]["actions"]
    assert action["command"].endswith("trace pi_1")


@pytest.mark.parametrize("output", ["table", "plain", "markdown", "nagios", "csv", "junit"])
def test_hostile_rows_are_shown_and_not_obeyed(lab: LabInfo, tmp_path: Path, output: str) -> None:
    path = written(lab, tmp_path, checks=CHECKS)
    done = payops("--config", path, "health", "--only", "own.hostile", "-o", output)
    assert done.code == 1
    assert_calm(done)
    assert not set(done.out) & {"\x1b", "\x07"}
    assert "sk_live_51Habcdefghijklmnop" not in done.out


def test_they_are_listed_chosen_and_left_out(lab: LabInfo, tmp_path: Path) -> None:
    path = written(lab, tmp_path, checks=CHECKS, thresholds={"own.big": {"count": {"warn": 3}}})
    listed = payops("--config", path, "health", "--list", "--only", "own.*")
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines() if line.startswith("own.")] == [
        f"own.{name}" for name in CHECKS
    ]
    done = payops("--config", path, "health", "--only", "own", "--skip", "own.w*,own.hostile")
    assert done.code == 0
    assert "3 found" in done.out
    misspelt = payops("--config", path, "health", "--only", "own.bigg")
    assert misspelt.code == 3
    assert "own.big" in misspelt.err
    none = payops("--config", lab.config, "health", "--only", "own.*")
    assert "no checks of its own" in none.err
