"""`payops diagnose` and `payops impact` as an operator runs them: well, broken, and replayed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import resource
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from command import Finished, assert_calm, new_payops, payops
from payops.lab import laboratory
from payops.lab.info import LabInfo
from tools import assert_typeable

MOST_STRIPE_CALLS = 30
MOST_CPU_S = 3.0  # what a run may take on a quiet machine; here others work beside it
NOTHING = "preset: ''\nenvironment: lab\n"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}


@pytest.fixture(scope="module")
def broken(lab: LabInfo) -> Iterator[LabInfo]:
    laboratory.inject(Path(lab.dir), "circuit-stuck-open")
    yield lab
    laboratory.heal(Path(lab.dir), "circuit-stuck-open")


def found(done: Finished) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.out)
    return document


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_healthy_lab(lab: LabInfo, env: dict[str, str]) -> None:
    before = children_cpu()
    done = new_payops("--config", lab.config, "diagnose", "-o", "json", env=env)
    assert children_cpu() - before < MOST_CPU_S
    assert_calm(done)
    report = found(done)
    assert done.code == 0
    assert report["hypotheses"] == report["unexplained"] == report["next"] == []
    assert report["impact"]["payments"] == 0
    assert report["escalation"]["severity"] == ""
    assert report["stripe_calls"] <= MOST_STRIPE_CALLS
    assert {"health", "reconcile"}.isdisjoint(one["part"] for one in report["not_asked"])


def test_impact_of_nothing(lab: LabInfo, env: dict[str, str]) -> None:
    """Before anything is broken: what it leaves would be counted."""
    done = payops("--config", lab.config, "impact", env=env)
    assert_calm(done)
    assert "No payment is affected" in done.out


def test_a_broken_lab_has_its_cause_its_impact_and_what_to_do(
    broken: LabInfo, env: dict[str, str], tmp_path: Path
) -> None:
    """Kept in a bundle as it is told, so that its replay can be held against it."""
    bundle = tmp_path / "bundle.tar.gz"
    arguments = ("--config", broken.config, "diagnose", "-o", "json")
    done = payops(*arguments, "--bundle", bundle, env=env)
    report = found(done)
    assert done.code == 2
    cause = report["hypotheses"][0]
    assert (cause["scenario"], cause["role"]) == ("circuit-stuck-open", "cause")
    assert cause["for"]
    assert report["stripe_calls"] <= MOST_STRIPE_CALLS
    impact = report["impact"]
    failed = next(c for c in report["checks"] if c["id"] == "payments.failure-rate")
    assert impact["payments"] == failed["measured"]["failed"] > 0
    assert impact["money"] == failed["money_at_risk"]
    assert 0 < impact["customers"] <= impact["payments"]
    assert report["escalation"]["severity"] == "P1"
    commands = [one["command"] for one in report["next"] if one["command"]]
    assert f"payops --config {broken.config} circuit reset stripe" in commands
    for command in commands:
        assert_typeable(command)

    assert str(bundle) in done.err
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    # No configuration, and no network: nobody is asked.
    again = payops(*arguments, "--replay", bundle, cwd=tmp_path)
    assert_calm(again)
    assert again.code == 2
    assert again.out == done.out
    # Whoever sends a bundle does not choose the configuration, which names commands to be run.
    alone = payops("diagnose", "--replay", bundle, cwd=tmp_path)
    assert alone.code == 2
    assert "payops circuit reset stripe" in alone.out
    assert "--config" not in alone.out
    assert f"made with --config {broken.config}" in alone.err

    with tarfile.open(bundle) as archive:
        files = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    observation = json.loads(files["observation.json"])
    observation["as_of"] = "2026-02-11T09:30:00"  # of no zone
    manifest = json.loads(files["manifest.json"])
    files["observation.json"] = json.dumps(observation).encode()
    manifest["files"]["observation.json"] = hashlib.sha256(files["observation.json"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(bundle, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    odd = payops("diagnose", "--replay", bundle, cwd=tmp_path)
    assert (odd.code, odd.out) == (3, "")
    assert "what it holds does not fit together" in odd.err


def test_a_broken_lab_on_80_columns(broken: LabInfo, env: dict[str, str]) -> None:
    done = payops("--config", broken.config, "diagnose", env=env)
    assert_calm(done)
    _, *lines = done.out.splitlines()  # the first is every report's
    assert all(len(line) <= 80 or "payops " in line for line in lines)
    labels = [line[:10].strip() for line in lines if line[:10].strip()]
    assert labels[:2] == ["IMPACT", "CAUSE"]
    assert "NEXT" in labels
    assert len(lines) < 50, "short enough to be read at night"
    assert "The circuit breaker is stuck open" in done.out


def test_check_mode_is_one_line(broken: LabInfo, env: dict[str, str]) -> None:
    done = payops("--config", broken.config, "diagnose", "--check", env=env)
    assert done.code == 2
    assert done.out.startswith("PAYOPS DIAGNOSE CRITICAL - ")
    assert done.out.count("\n") == 1
    assert "circuit-stuck-open" in done.out
    assert done.err == ""


def test_impact_alone_and_whom_it_concerns(
    broken: LabInfo, env: dict[str, str], tmp_path: Path
) -> None:
    whom = tmp_path / "affected.csv"
    arguments = ("--config", broken.config, "impact", "-o", "json", "--affected", whom)
    done = payops(*arguments, env=env)
    assert done.code == 2
    report = found(done)
    assert "hypotheses" not in report
    impact = report["impact"]
    with whom.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    failed = [row for row in rows if row["class"] == "failed"]
    parts = {part["check"]: part["payments"] for part in impact["parts"]}
    assert len(failed) == parts["payments.failure-rate"] > 0
    assert len({row["key"] for row in rows}) == len(rows)
    assert all("@" in row["contact"] for row in failed)
    assert stat.S_IMODE(whom.stat().st_mode) == 0o600
    assert failed[0]["contact"] not in done.out + done.err


def test_impact_without_stripe_is_what_the_ledger_says(
    broken: LabInfo, env: dict[str, str], tmp_path: Path
) -> None:
    given = yaml.safe_load(Path(broken.config).read_text(encoding="utf-8"))
    config = tmp_path / "payops.yaml"
    config.write_text(yaml.safe_dump({**given, "stripe": None}), encoding="utf-8")
    done = payops("--config", config, "impact", "-o", "json", env=env)
    assert_calm(done)
    assert "not compared" in done.err
    impact = found(done)["impact"]
    assert [part["check"] for part in impact["parts"]] == ["payments.failure-rate"]
    assert impact["notes"]


def test_without_the_database_the_impact_is_not_known(broken: LabInfo, env: dict[str, str]) -> None:
    laboratory.inject(Path(broken.dir), "database-down")
    try:
        arguments = ("--config", broken.config, "diagnose", "-o", "json", "--deadline", "8s")
        done = payops(*arguments, env=env)
    finally:
        laboratory.heal(Path(broken.dir), "database-down")
    assert_calm(done)
    report = found(done)
    assert done.code == 2
    assert "database-down" in {one["scenario"] for one in report["hypotheses"]}
    assert report["impact"]["known"] is False
    assert report["duration_ms"] < 8000


def test_a_configuration_of_nothing_is_no_verdict(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "payops.yaml"
    config.write_text(NOTHING)
    done = payops("--config", config, "diagnose", env=env)
    assert_calm(done)
    assert done.code in (0, 3)
    assert "Nothing is wrong in what was looked at." in done.out
    assert "stripe" in done.out.partition("Not used here:")[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--replay", "none.tar.gz"], "there is no such file"),
        (["--replay", "x", "--bundle", "y"], "drop one"),
        (["--replay", "x", "--state", "s"], "--replay tells of the past"),
        (["--replay", "x", "--since", "2h"], "--replay does not look"),
        (["--bundle", "no/where/b.tar.gz"], "there is no folder"),
        (["--since", "never"], "--since"),
    ],
)
def test_a_usage_error_is_one_line(options: list[str], words: str, tmp_path: Path) -> None:
    done = payops("diagnose", *options, cwd=tmp_path)
    assert done.code == 3
    assert done.out == ""
    assert words in done.err
    assert len(done.err.splitlines()) == 1
