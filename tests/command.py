"""Runs the real command line as a subprocess, as an operator, a pipe or cron would."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What cron gives a job, and nothing of the developer's own environment.
CRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


@dataclass(frozen=True)
class Finished:
    """A finished run: exit status, both streams as text, wall time in seconds."""

    code: int
    out: str
    err: str
    seconds: float


def payops(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 60,
) -> Finished:
    """Run `payops ...` in cron's empty environment plus `env`."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "payops", *map(str, arguments)],
        env={**CRON, **passed_on(), **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


def passed_on() -> dict[str, str]:
    """What the interpreter itself needs to find payops."""
    return {k: v for k, v in os.environ.items() if k in ("PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")}


def assert_calm(done: Finished) -> None:
    """No traceback anywhere, and at most a line or two on stderr."""
    assert "Traceback" not in done.out + done.err
    assert len(done.err.splitlines()) <= 2, done.err
