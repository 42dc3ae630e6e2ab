"""`payops health` on the lab as it is, and on a ledger of a million rows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from payops.lab import laboratory
from payops.lab.crowd import crowd

ROWS = 1_000_000
GOAL_S = 1.5
_RUNS = 5


def run() -> Iterator[str]:
    """The lines of a Markdown table, one as each measurement ends."""
    yield f"| payments | checks | seconds, best of {_RUNS} | worst | slowest check |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        directory = Path(folder) / "lab"
        info = laboratory.up(laboratory.LabOptions(dir=directory))
        try:
            yield _row("500", info.config)
            with psycopg.connect(info.postgres_dsn, autocommit=True) as db:
                crowd(db, ROWS)
            yield _row(f"{ROWS:,} more", info.config)
        finally:
            laboratory.down(directory)


def _row(what: str, config: str) -> str:
    took, slowest, asked = [], (0, ""), 0
    for _ in range(_RUNS):
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "payops", "--config", config, "health", "-o", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
        took.append(time.monotonic() - began)
        checks = json.loads(done.stdout)["checks"]
        asked = len(checks)
        slowest = max(slowest, *((one["duration_ms"], one["id"]) for one in checks))
    goal = f" (goal {GOAL_S}: {'met' if min(took) <= GOAL_S else 'MISSED'})"
    milliseconds, id_ = slowest
    return (
        f"| {what} | {asked} | {min(took):.2f}{goal} | {max(took):.2f} | {id_}, {milliseconds} ms |"
    )
