"""Runs the real command line as a subprocess, as an operator, a pipe or cron would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import warm

# What cron gives a job, and nothing of the developer's own environment.
CRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


@dataclass(frozen=True)
class Finished:
    """A finished run: exit status, both streams as text, wall time in seconds."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def overhead(self) -> float:
        """Seconds that the run took beside what its report (JSON) accounts for: the interpreter's
        start and end, on this machine at this moment."""
        return self.seconds - float(json.loads(self.out)["duration_ms"]) / 1000


def payops(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 60,
    fresh: bool = False,
) -> Finished:
    """Run `payops ...` in cron's empty environment plus `env`, as a process of its own.

    With `fresh`, or PAYOPS_FRESH in the environment, by a new interpreter: for what depends on how
    one starts, and for how long a command takes. Otherwise it is forked (`warm.py`).
    """
    environment = {**CRON, **passed_on(), **(env or {})}
    started = time.monotonic()
    if fresh or os.environ.get("PAYOPS_FRESH") or warm.depends_on(env or {}):
        done = subprocess.run(
            [sys.executable, "-m", "payops", *map(str, arguments)],
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    else:
        done = warm.run([*map(str, arguments)], environment, cwd, timeout)
    return Finished(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


new_payops = partial(payops, fresh=True)
"""`payops ...` by a new interpreter."""


def passed_on() -> dict[str, str]:
    """What the interpreter itself needs to find payops."""
    return {k: v for k, v in os.environ.items() if k in ("PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")}


def assert_calm(done: Finished) -> None:
    """No traceback anywhere, and at most a line or two on stderr."""
    assert "Traceback" not in done.out + done.err
    assert len(done.err.splitlines()) <= 2, done.err
