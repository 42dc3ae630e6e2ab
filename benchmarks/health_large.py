"""`payops health`, `stats` and `connections` of every system, on ledgers of a million rows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from payops.lab import laboratory
from payops.lab.crowd import crowd
from payops.lab.info import LabInfo
from payops.lab.systems import system_names

ROWS = 1_000_000
GOAL_S = 1.5  # of a healthy system, here
GOAL_MS = 2_000  # postgres.statement_timeout
_RUNS = 3
_LARGE = 100_000
# debtflow's own check of every account's balance, which has 5 s for it.
_TAKES_ITS_TIME = "accounts_account"


def run() -> Iterator[str]:
    """The lines of a Markdown table, one as each measurement ends."""
    yield (
        f"| system | rows | `health`, best of {_RUNS} | with 500 payments | ratio | slowest check "
        "| slowest query | tables read whole, of those above 100,000 rows | `stats` "
        "| `connections` |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name in system_names():
        with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
            directory = Path(folder) / "lab"
            info = laboratory.up(laboratory.LabOptions(dir=directory, preset=name))
            try:
                yield _row(name, info)
            finally:
                laboratory.down(directory)
    yield ""
    yield (
        "Rows are those of all tables; each ledger of payments has a million. The slowest query is "
        "that of `health --deep`, `stats` and `connections`, as the server's log has it (goal "
        f"{GOAL_MS:,} ms, but for the check that says itself that it needs longer). A table is "
        "read whole where the system's own schema has no index for what is asked, or where all of "
        "it is asked for; the check postgres.indexes names the index that a ledger lacks."
    )


def _row(name: str, info: LabInfo) -> str:
    few, _ = _best(info)
    grown = crowd(info, ROWS)
    many, slowest = _best(info)
    with psycopg.connect(info.postgres_dsn, autocommit=True) as db:
        db.execute("ALTER ROLE oncall SET log_min_duration_statement = 0")
        before = _scans(db)
        log = Path(info.dir) / "logs" / "postgres.log"
        already = log.stat().st_size
        _payops(info, "health", "--deep")
        stats, _ = _payops(info, "stats")
        connections, _ = _payops(info, "connections")
        time.sleep(0.5)  # the server counts when a session ends
        after = _scans(db)
    whole = sorted(
        table
        for table, rows in grown.items()
        if rows >= _LARGE and after.get(table, 0) > before.get(table, 0)
    )
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(already)
        longest = _longest(lines.read())
    met = "met" if few <= GOAL_S else "MISSED"
    return (
        f"| {name} | {sum(grown.values()):,} | {many:.2f} s | {few:.2f} s (goal {GOAL_S}: {met}) "
        f"| {many / few:.1f} | {slowest} | {longest} | {', '.join(whole) or 'none'} "
        f"| {stats:.2f} s | {connections:.2f} s |"
    )


def _best(info: LabInfo) -> tuple[float, str]:
    """Seconds of the best run of `payops health`, and its slowest check."""
    runs = [_payops(info, "health", "-o", "json") for _ in range(_RUNS)]
    took, said = min(runs, key=lambda one: one[0])
    checks = json.loads(said)["checks"]
    slowest = max(checks, key=lambda one: int(one["duration_ms"]))
    return took, f"{slowest['id']}, {slowest['duration_ms']} ms"


def _payops(info: LabInfo, *words: str) -> tuple[float, str]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "payops", "--config", info.config, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    return time.monotonic() - began, done.stdout


def _scans(db: psycopg.Connection[Any]) -> dict[str, int]:
    """How often each table was read from end to end."""
    return dict(db.execute("SELECT relname, seq_scan FROM pg_stat_user_tables").fetchall())


def _longest(log: str) -> str:
    """The longest statement of payops in the server's log, in milliseconds, against the goal."""
    one = re.compile(r"^\S+ \S+ \S+ \[\d+\] oncall@\S+ payops LOG: +duration: ([0-9.]+) ms([^\0]*)")
    entries = re.split(r"^(?=\d{4}-\d\d-\d\d )", log, flags=re.MULTILINE)
    found = [match for entry in entries if (match := one.match(entry))]
    if not found:
        return "not known"
    patient = [match for match in found if _TAKES_ITS_TIME in match[2]]
    longest = max(float(match[1]) for match in found if match not in patient)
    told = f"{longest:.0f} ms ({'met' if longest <= GOAL_MS else 'MISSED'})"
    if patient:
        told += f"; own.balances {max(float(match[1]) for match in patient):.0f} ms"
    return told
