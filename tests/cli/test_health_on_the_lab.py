"""`payops health` as an operator runs it: on a healthy lab, and under every scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command import Finished, assert_calm, payops
from payops.checks import check_ids
from payops.domain.status import Status, worst
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.scenario import load_scenario, scenario_ids


def statuses(done: Finished) -> dict[str, str]:
    """Each check's status, from the JSON of a finished run."""
    return {check["id"]: check["status"] for check in json.loads(done.out)["checks"]}


def test_a_healthy_lab_is_ok_in_every_check(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "health", "-o", "json")
    assert_calm(done)
    assert statuses(done) == dict.fromkeys(check_ids(), "OK")
    assert done.code == 0
    report = json.loads(done.out)
    assert report["status"] == "OK"
    assert report["environment"] == "lab"
    assert 2 <= report["stripe_calls"] <= 4
    assert report["schema_version"] == 1
    assert report["command"] == "health"


@pytest.mark.parametrize("scenario", scenario_ids())
def test_each_scenario_has_the_statuses_that_it_promises(lab: LabInfo, scenario: str) -> None:
    promised = load_scenario(scenario).expected
    expected = {id_: promised.get(id_, Status.OK) for id_ in check_ids()}
    directory = Path(lab.dir)
    idle = payops("--version").seconds
    laboratory.inject(directory, scenario)
    try:
        done = payops("--config", lab.config, "health", "-o", "json", "--deadline", "5s")
    finally:
        laboratory.heal(directory, scenario)
    assert_calm(done)
    assert statuses(done) == {id_: status.value for id_, status in expected.items()}
    binding = worst(status for id_, status in expected.items() if id_ != "stripe.status-page")
    assert done.code == binding.exit_code
    assert done.seconds < 5 + 0.5 + idle
    for check in json.loads(done.out)["checks"]:
        if check["status"] in ("WARN", "CRIT"):
            assert check["summary"]
            assert check["actions"], check["id"]
    assert payops("--config", lab.config, "health").code == 0, "healed, but not well again"


def test_a_hung_stripe_hides_nothing_else(lab: LabInfo) -> None:
    from payops.lab.control import Control

    stripe = Control("Stripe simulator", lab.stripe_control_url)
    stripe.post("/faults", [{"kind": "hang"}])
    try:
        for again in (True, True, False):  # a machine may stand still for a moment
            idle = payops("--version").seconds
            done = payops("--config", lab.config, "health", "-o", "json", "--deadline", "3s")
            if done.seconds < 3 + 0.5 + idle or not again:
                break
    finally:
        stripe.put("/faults", [])
    assert done.seconds < 3 + 0.5 + idle
    found = statuses(done)
    assert found["stripe.api"] == found["webhooks.backlog"] == "CRIT"
    others = {id_: s for id_, s in found.items() if id_ not in ("stripe.api", "webhooks.backlog")}
    assert set(others.values()) == {"OK"}


@pytest.mark.parametrize("arguments", [["--only", "redis"], ["--skip", "stripe,webhooks"]])
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
    assert len(done.out.splitlines()) == 1 + len(check_ids())
