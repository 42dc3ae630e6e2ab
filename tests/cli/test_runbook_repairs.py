"""Pages whose repair is payops' own, at a terminal from the first step to a repaired lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from at_terminal import AtTerminal
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.repaired import repaired
from payops.lab.running import Lab

# What is asked, and what somebody says who follows the page.
DONE = [("Done? ", ""), ("What did you see? ", "as it should be")]
PLAN = [("Enter makes the plan", ""), ("Apply it? ", "y")]
LOOK = [("Enter asks", "")]
RUN = [("Enter runs it", "")]
TALKS = {
    "commission-mismatch": [
        *RUN,
        ("no / yes > ", "no"),
        *PLAN,
        ("Enter makes the plan", ""),  # no collection asks for another amount: nothing to apply
        *DONE,
        *RUN,
        *LOOK,
    ],
    "analytics-cache-stale": [
        *LOOK,
        *RUN,
        *RUN,
        ("yes / no > ", "yes"),
        *PLAN,
        *DONE,
        *LOOK,
        *RUN,
        ("yes / no > ", "yes"),
    ],
}


@pytest.fixture(scope="module")
def barbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    """A lab of the one system that has remedies for these."""
    directory = tmp_path_factory.mktemp("barbers") / "lab"
    options = laboratory.LabOptions(dir=directory, preset="bookedbarber", payments=100)
    yield laboratory.up(options)
    laboratory.down(directory)


@pytest.mark.parametrize("page", TALKS)
def test_it_is_repaired_by_following_the_page(page: str, barbers: LabInfo, tmp_path: Path) -> None:
    folder = Path(barbers.dir)
    laboratory.inject(folder, page)
    try:
        broken = still(folder, barbers, page)
        assert broken
        terminal = AtTerminal(
            *("--config", barbers.config, "runbook", "run", page),
            env={"XDG_STATE_HOME": str(tmp_path / "state")},
        )
        for asked, said in TALKS[page]:
            terminal.until(asked)
            terminal.type(said)
        code = terminal.ended()
        assert code == 0, terminal.seen
        assert still(folder, barbers, page) == []
    finally:
        laboratory.heal(folder, page)


def still(folder: Path, info: LabInfo, scenario: str) -> list[str]:
    with Lab(folder, info) as lab:
        return repaired(lab, scenario)
