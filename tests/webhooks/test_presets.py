"""The real systems: healthy they are OK, and what stands in for an event log tells what it can."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from payops.config.load import load
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.webhooks import Asking, status
from payops.lab import laboratory
from payops.lab.info import LabInfo
from webhooks.sweeping import ALL_PAIRS, causes_of, of_preset, pairs

PRESETS = ("debtflow", "ireti-pos", "v-edfinance", "bookedbarber")
# One of each kind: never sent, owed, without a trace, stuck in the log.
WANTED = (
    "webhook-endpoint-disabled",
    "webhook-endpoint-fails",
    "webhook-events-swallowed",
    "webhook-events-stuck",
)


@pytest.fixture(scope="module", params=PRESETS)
def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp(request.param) / "lab"
    options = laboratory.LabOptions(dir=directory, preset=request.param, payments=80)
    yield laboratory.up(options)
    laboratory.down(directory)


def look(lab: LabInfo) -> Report:
    now = datetime.now(UTC)
    window = Window(now - timedelta(hours=24), now)
    settings = load(lab.config).settings
    return status(settings, window, Deadline.after(60), Asking(probe=True))


@pytest.mark.slow
def test_healthy_and_then_broken(lab: LabInfo) -> None:
    healthy = look(lab)
    assert healthy.extra["causes"] == []
    assert {check.status for check in healthy.checks} <= {Status.OK, Status.SKIP}
    alone = of_preset(lab.preset)
    wrong = {
        wanted: causes
        for wanted in (alone if ALL_PAIRS else WANTED)
        if wanted in alone
        and (causes := named(lab, wanted)) != causes_of(lab.preset, alone[wanted])
    }
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.skipif(not ALL_PAIRS, reason="PAYOPS_PAIRS=all: minutes a preset")
def test_in_pairs(lab: LabInfo) -> None:
    alone = of_preset(lab.preset)
    wrong = {
        pair: causes
        for pair in pairs(alone)
        if (causes := named(lab, *pair))
        != causes_of(lab.preset, *(alone[wanted] for wanted in pair))
    }
    assert wrong == {}


def named(lab: LabInfo, *wanted: str) -> set[str]:
    """The causes that are named while these scenarios are in force."""
    try:
        for each in wanted:
            laboratory.inject(Path(lab.dir), each)
        return {each["cause"] for each in look(lab).extra["causes"]}  # type: ignore[attr-defined]
    finally:
        laboratory.heal(Path(lab.dir))
