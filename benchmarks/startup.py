"""How long `payops --help` and `payops health` take, against the bare imports that they need.

Goals: each at most 1.6 times its base, whole processes, wall time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.pairs import Pair, measure, python
from payops.lab import laboratory

RUNS = 15
GOAL = 1.6
READY_S = 6


def run() -> Iterator[str]:
    """The lines of a Markdown table, one as each measurement ends."""
    yield "| what | against | ours, median | base, median | ratio | goal |"
    yield "|---|---|---|---|---|---|"
    base = "import typer, rich.console"
    pair = measure(python("-m", "payops", "--help"), python("-c", base), runs=RUNS)
    yield _row("`payops --help`", f"`python -c '{base}'`", pair)
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        directory = Path(folder) / "lab"
        started = time.perf_counter()
        info = laboratory.up(laboratory.LabOptions(dir=directory, since=timedelta(hours=48)))
        up_s = time.perf_counter() - started
        try:
            base = "import stripe, psycopg, redis"
            ours = python("-m", "payops", "--config", info.config, "health")
            pair = measure(ours, python("-c", base), runs=RUNS)
            yield _row("`payops health`, healthy lab", f"`python -c '{base}'`", pair)
            verdict = "met" if up_s < READY_S else "MISSED"
            yield f"| `payops lab up` | - | {up_s:.1f} s | - | - | under {READY_S} s: {verdict} |"
        finally:
            laboratory.down(directory)


def _row(what: str, against: str, pair: Pair) -> str:
    ours, base = (statistics.median(times) * 1000 for times in (pair.ours, pair.base))
    verdict = "met" if pair.ratio <= GOAL else "MISSED"
    return (
        f"| {what} | {against} | {ours:.0f} ms | {base:.0f} ms | {pair.ratio:.2f} "
        f"| at most {GOAL}: {verdict} |"
    )
