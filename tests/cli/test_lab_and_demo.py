"""`payops lab` and `payops demo` as a stranger runs them."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from command import assert_calm, payops
from payops.cli.lab_options import laboratory_module
from payops.errors import LabError
from payops.lab.info import LabInfo


@pytest.mark.slow
def test_a_lab_from_up_to_down(tmp_path: Path) -> None:
    where = tmp_path / "lab"
    up = payops("lab", "up", "--dir", where, "--payments", "200", "--seed", "7", "-o", "json")
    assert up.code == 0, up.err
    try:
        facts = json.loads(up.out)
        for key in ("config", "postgres_dsn", "redis_url", "stripe_url", "stripe_control_url"):
            assert facts[key], key
        assert {"postgres", "redis", "stripe", "merchant"} <= set(facts["pids"])
        with psycopg.connect(facts["postgres_dsn"]) as connection:
            row = connection.execute("select count(*) from payments").fetchone()
        assert row == (200,)

        again = payops("lab", "up", "--dir", where, "--payments", "200", "--seed", "7")
        assert again.code == 0
        other = payops("lab", "up", "--dir", where, "--payments", "100")
        assert other.code == 3
        assert "another lab" in other.err

        unknown = payops("lab", "inject", "circuit-stuck-opn", "--dir", where)
        assert unknown.code == 3
        assert "circuit-stuck-open" in unknown.err
        broken = payops("lab", "inject", "circuit-stuck-open", "stripe-outage", "--dir", where)
        assert broken.code == 0
        assert " diagnose\n" in broken.out
        # Whom a runbook asks to act has to be played in a lab; of a stuck breaker nobody is asked.
        assert "payops lab mend stripe-outage --dir" in broken.out
        assert "lab mend circuit-stuck-open" not in broken.out
        assert payops("lab", "heal", "stripe-outage", "--dir", where).code == 0
        assert payops("--config", facts["config"], "health").code == 2
        assert "broken by: circuit-stuck-open" in payops("lab", "status", "--dir", where).out
        assert payops("lab", "heal", "--dir", where).code == 0
        assert payops("--config", facts["config"], "health").code == 0
        assert payops("lab", "status", "--dir", where, "-o", "json").code == 0
    finally:
        down = payops("lab", "down", "--dir", where)
    assert down.code == 0
    assert not where.exists() or not any(where.iterdir())
    assert payops("lab", "status", "--dir", where).code == 3


@pytest.mark.slow
def test_the_demo_shows_an_incident_within_40_s(tmp_path: Path) -> None:
    done = payops("demo", env={"HOME": str(tmp_path)})
    assert done.code == 0, done.err
    assert done.seconds < 40
    assert_calm_progress(done.err)
    for words in ("circuit.state", "payments.stuck-pending", "What it means", "run next"):
        assert words in done.out
    assert "CRIT" in done.out


def test_the_demo_does_not_end_a_lab_that_is_not_its_own(lab: LabInfo) -> None:
    done = payops("demo", "--dir", lab.dir)
    assert done.code == 3
    assert f"a lab is in {lab.dir} already" in done.err
    status = payops("lab", "status", "--dir", lab.dir)
    assert status.code == 0
    assert "broken by: nothing" in status.out


def assert_calm_progress(err: str) -> None:
    assert "Traceback" not in err
    assert len(err.splitlines()) < 10


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payops.cli.lab_options.find_spec", lambda name: None)
    with pytest.raises(LabError, match="the lab needs h11") as raised:
        laboratory_module()
    assert raised.value.hint == "pip install 'payops[lab]'"


def test_lab_list_names_every_scenario() -> None:
    done = payops("lab", "list", "-o", "json")
    assert_calm(done)
    listed = {scenario["id"]: scenario for scenario in json.loads(done.out)["scenarios"]}
    assert {
        "stripe-outage",
        "stripe-key-invalid",
        "redis-down",
        "database-down",
        "circuit-stuck-open",
        "payments-stuck-pending",
        "webhook-endpoint-down",
    } <= set(listed)
    for scenario in listed.values():
        assert scenario["title"]
        assert scenario["presets"]
