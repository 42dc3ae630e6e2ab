"""A process that a scenario leaves running, one at most: started, found again, ended by `heal`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from payops.lab import processes
from payops.lab.processes import Started
from payops.lab.scenario import Lab

TOLD = "PAYOPS_LAB_TOLD"
"""The variable in which the process is told what to do, as JSON: no command line shows a secret."""
_UP_S = 10.0


def start(lab: Lab, module: str, told: Mapping[str, Any], ready: Callable[[], bool]) -> None:
    """Run a module of payops until the scenario is healed; it is `ready()` when this returns.

    Raises LabError with the end of its log when it ends before that, or takes 10 s.
    """
    log = lab.directory / "logs" / f"{lab.scenario}.log"
    process = processes.start(
        [sys.executable, "-P", "-m", module],
        log=log,
        directory=lab.directory,
        environment={**os.environ, **_path(), TOLD: json.dumps(told)},
    )
    lab.remember(process=[process.pid, process.at])
    processes.wait_until(ready, process=process, what=module, log=log, seconds=_UP_S)


def end(lab: Lab) -> None:
    """End it; nothing happens when it was never started, or has ended."""
    kept = lab.recall().get("process")
    if kept:
        processes.end(Started(*kept))


def told() -> dict[str, Any]:
    """In that process: what it was told."""
    found: dict[str, Any] = json.loads(os.environ.pop(TOLD))
    return found


def _path() -> dict[str, str]:
    """Where payops is imported from: the lab's folder is no place to look for it."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
