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
from payops.lab import laboratory, scenario
from payops.lab.info import LabInfo
from payops.lab.systems import system

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
    for wanted in WANTED:
        found = scenario.load_scenario(wanted)
        if lab.preset not in found.presets:
            continue
        laboratory.inject(Path(lab.dir), wanted)
        try:
            causes = {each["cause"] for each in look(lab).extra["causes"]}  # type: ignore[attr-defined]
            assert causes == found.causes_in(system(lab.preset)), wanted
        finally:
            laboratory.heal(Path(lab.dir))
