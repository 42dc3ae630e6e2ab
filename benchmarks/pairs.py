"""Two commands in turn, A B A B …, as whole processes: the ratio holds when the machine drifts."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Wall times in seconds of both commands, run by run."""

    ours: tuple[float, ...]
    base: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median over the pairs of ours / base."""
        return statistics.median(a / b for a, b in zip(self.ours, self.base, strict=True))


def python(*arguments: str) -> list[str]:
    """A command of this very interpreter."""
    return [sys.executable, *arguments]


def measure(
    ours: Sequence[str], base: Sequence[str], *, runs: int, env: Mapping[str, str] | None = None
) -> Pair:
    """Run both `runs` times in turn, after one warm-up each that is not counted."""
    environment = {**os.environ, **(env or {})}
    times: dict[int, list[float]] = {0: [], 1: []}
    for run in range(runs + 1):
        for which, command in enumerate((ours, base)):
            started = time.perf_counter()
            done = subprocess.run(
                command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
            if run:
                times[which].append(time.perf_counter() - started)
    return Pair(tuple(times[0]), tuple(times[1]))
