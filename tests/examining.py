"""`payops health` on a lab by this process: a tenth of a second where a new process takes one.

That the command does the same is shown where the command is: tests/cli.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from payops.checks import check_ids, ids_in, load_check, select, without_deep
from payops.config.load import load, located
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.window import Window
from payops.engine.health import examine
from payops.lab.info import LabInfo


def health(config: str | Path, *only: str) -> Report:
    """The report that `payops --config FILE health [--only ...]` would show."""
    loaded = load(str(config))
    ids = without_deep(select(only, (), ids_in(loaded.settings)), only)
    faults: list[str] = []
    now = datetime.now(UTC)
    with located(loaded.path):
        report = examine(
            loaded.settings,
            ids,
            window=Window(now - timedelta(hours=1), now),
            deadline=Deadline.after(10),
            on_fault=lambda id_, trace: faults.append(f"{id_}: {trace}"),
        )
    assert faults == []
    return report


def examined(lab: LabInfo, expected: Iterable[str] = ()) -> tuple[CheckResult, ...]:
    """Every check on a lab; of the deep ones those that are `expected`."""
    known = set(check_ids())
    deep = [id_ for id_ in expected if id_ in known and load_check(id_).deep]
    return tuple(health(lab.config, *(("*", *deep) if deep else ())).checks)


def statuses(lab: LabInfo, expected: Iterable[str] = ()) -> dict[str, str]:
    """Each one's status, by its id."""
    return {check.id: check.status.value for check in examined(lab, expected)}
