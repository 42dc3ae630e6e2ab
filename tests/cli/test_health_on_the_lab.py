"""`payops health` as an operator runs it: on a healthy lab, and under every scenario."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from command import Finished, assert_calm, new_payops, payops
from payops.checks import check_ids, load_check, without_deep
from payops.domain.status import Status, worst
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.scenario import load_scenario, scenarios_for
from thinning import one_of_each


def statuses(done: Finished) -> dict[str, str]:
    """Each check's status, from the JSON of a finished run."""
    return {check["id"]: check["status"] for check in json.loads(done.out)["checks"]}


# What the lab has not: outside processors, https, pg_stat_statements.
NOT_MAPPED = {id_ for id_ in check_ids() if id_.startswith("external.")}
NOT_HERE = {"stripe.tls", "postgres.slow-statements"} | NOT_MAPPED
ASKED = {*without_deep(check_ids())}


def test_a_healthy_lab_is_ok_in_every_check(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "health", "-o", "json")
    assert_calm(done)
    found = statuses(done)
    assert set(found) == ASKED
    assert {id_ for id_, status in found.items() if status == "SKIP"} == NOT_HERE & ASKED
    assert set(found.values()) == {"OK", "SKIP"}
    assert done.code == 0
    report = json.loads(done.out)
    assert report["status"] == "OK"
    assert report["environment"] == "lab"
    assert 2 <= report["stripe_calls"] <= 10
    assert report["schema_version"] == 1
    assert report["command"] == "health"


def what_is_red(scenario: str) -> object:
    """Who is asked by the checks that a scenario trips, how bad it is, and what a run takes."""
    expected = load_scenario(scenario).expected
    checks = {id_: load_check(id_) for id_ in expected}
    return (
        frozenset(check.source for check in checks.values()),
        worst(expected.values()) if expected else Status.OK,
        any(check.deep for check in checks.values()),
        all(check.advisory for check in checks.values()),
    )


# Each scenario's statuses are held in tests/lab/scenarios; here the command is looked at.
@pytest.mark.parametrize("scenario", one_of_each(scenarios_for("reference"), what_is_red, "health"))
def test_a_scenario_has_the_statuses_that_it_promises(lab: LabInfo, scenario: str) -> None:
    expected = load_scenario(scenario).expected
    promised = {id_: s.value for id_, s in expected.items() if id_ not in NOT_MAPPED}
    deep = ["--deep"] if any(load_check(id_).deep for id_ in expected) else []
    directory = Path(lab.dir)
    idle = payops("--version").seconds
    laboratory.inject(directory, scenario)
    try:
        done = payops("--config", lab.config, "health", "-o", "json", "--deadline", "5s", *deep)
    finally:
        laboratory.heal(directory, scenario)
    assert_calm(done)
    found = statuses(done)
    assert set(found) == ({*check_ids()} if deep else ASKED)
    wrong = {id_: s for id_, s in found.items() if s not in ("OK", "SKIP")}
    assert wrong == promised
    counted = [id_ for id_ in found if not load_check(id_).advisory]
    assert done.code == worst(Status(found[id_]) for id_ in counted).exit_code
    assert done.seconds < 5 + 0.5 + idle
    assert payops("--config", lab.config, "health").code == 0, "healed, but not well again"


def test_a_hung_stripe_hides_nothing_else(lab: LabInfo) -> None:
    from payops.lab.control import Control

    stripe = Control("Stripe simulator", lab.stripe_control_url)
    stripe.post("/faults", [{"kind": "hang"}])
    try:
        for again in (True, True, False):  # a machine may stand still for a moment
            quick = new_payops("--config", lab.config, "health", "--only", "redis", "-o", "json")
            done = new_payops("--config", lab.config, "health", "-o", "json", "--deadline", "3s")
            if done.seconds < 3 + 0.5 + quick.overhead or not again:
                break
    finally:
        stripe.put("/faults", [])
    assert done.seconds < 3 + 0.5 + quick.overhead
    checks = json.loads(done.out)["checks"]
    found = statuses(done)
    assert found["stripe.api"] == found["webhooks.backlog"] == "CRIT"
    touched = {one["id"] for one in checks if one["status"] not in ("OK", "SKIP")}
    assert all("stripe" in load_check(id_).source for id_ in touched)


def test_deep_asks_the_slow_ones_too(lab: LabInfo) -> None:
    arguments = ["health", "--deep", "--only", "postgres,redis", "-o", "json"]
    done = payops("--config", lab.config, *arguments)
    assert done.code == 0
    assert {"postgres.size", "redis.keys"} <= statuses(done).keys()
    named = payops("--config", lab.config, "health", "--only", "redis.keys", "-o", "json")
    assert statuses(named) == {"redis.keys": "OK"}


@pytest.mark.parametrize("arguments", [["--only", "redis"], ["--skip", "stripe,webhooks,payments"]])
def test_a_selection_asks_nobody_else(lab: LabInfo, arguments: list[str]) -> None:
    done = payops("--config", lab.config, "health", "-o", "json", *arguments)
    assert done.code == 0
    assert json.loads(done.out)["stripe_calls"] == 0


def test_check_mode_is_a_nagios_line(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "health", "--check")
    assert done.code == 0
    first = done.out.splitlines()[0]
    assert first.startswith("PAYOPS HEALTH OK - ")
    assert first.count("|") == 1
    assert "\x1b" not in done.out


def test_a_pipe_gets_plain_text_and_no_colour(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "health", env={"FORCE_COLOR": "1", "TERM": "xterm"})
    assert done.out.startswith("OK ")
    assert "\x1b" not in done.out
    assert len(done.out.splitlines()) == 1 + len(ASKED)


def test_with_a_memory_rates_are_those_since_the_run_before(lab: LabInfo, tmp_path: Path) -> None:
    state = tmp_path / "state"
    run = ("--config", lab.config, "health", "--only", "postgres.rollbacks", "--state", state)
    first = payops(*run, "-o", "json")
    assert first.code == 0
    kept = json.loads(state.read_text())
    (job,) = kept["jobs"].values()
    reading = job["readings"]["postgres.rollbacks"]
    # As if it had been an hour ago, with three rollbacks since.
    reading["as_of"] = (datetime.fromisoformat(reading["as_of"]) - timedelta(hours=1)).isoformat()
    reading["measured"]["total_rollbacks"] -= 3
    state.write_text(json.dumps(kept))
    (check,) = json.loads(payops(*run, "-o", "json").out)["checks"]
    assert "in the last 1 h" in check["summary"]
    assert 3 <= check["measured"]["per_second"] * 3_600 < 100
