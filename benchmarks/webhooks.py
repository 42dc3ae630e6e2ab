"""`payops webhooks status` over 100,000 events: requests, time, memory.

The lab tells the history of a shop of so many payments that Stripe has that many events of the
types the ledger is kept by; status reads them, their rows in the event log, their keys in Redis and
the ledger's rows. Its budget is raised to what Stripe allows for one list, 25 requests a second:
at the default of 10 the requests alone take two and a half times as long.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from payops.lab import laboratory

EVENTS = 100_000
# Of a payment of the reference shop there are so few events that move its row.
_PAYMENTS = 92_000
_BUDGET = 25
GOAL_MB = 500


def run() -> Iterator[str]:
    """The lines of a Markdown table, one as each measurement ends."""
    yield "| what | events | requests | seconds | peak memory |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        directory = Path(folder) / "lab"
        options = laboratory.LabOptions(dir=directory, payments=_PAYMENTS, rate_limits=False)
        info = laboratory.up(options)
        try:
            config = Path(info.config)
            text = config.read_text()
            line = f"stripe:\n  max_requests_per_second: {_BUDGET}\n  timeout: 30s"
            config.write_text(text.replace("stripe:", line, 1))
            for what, flags in (
                ("status", []),
                ("status --no-objects", ["--no-objects"]),
                ("undelivered", None),
            ):
                yield _row(what, config, flags)
        finally:
            laboratory.down(directory)
    yield ""
    yield (
        "All events of the window are held in memory: 2 to 3 KB each beside the bare process. At "
        "the default of 10 requests a second the default deadline of 2 minutes is too short for "
        "so many: status is UNKNOWN then, and says what helps."
    )


def _row(what: str, config: Path, flags: list[str] | None) -> str:
    command = ["undelivered", "--since", "3d"] if flags is None else ["status", "--since", "3d"]
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-c", _MEASURED, "--config", str(config), "webhooks", *command),
            *(*(flags or []), "--deadline", "15m", "-o", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    report = json.loads(done.stdout)
    events = report["funnel"][0]["events"] if "funnel" in report else len(report["events"])
    megabytes = int(done.stderr.splitlines()[-1]) // 1024
    goal = f" (goal {GOAL_MB}: {'met' if megabytes <= GOAL_MB else 'MISSED'})"
    return (
        f"| `payops webhooks {what}` | {events:,} | {report['stripe_calls']:,} | {seconds:.1f} | "
        f"{megabytes} MB{goal} |"
    )


# A process's own peak, told on stderr when it ends: what getrusage says begins with its parent's.
_MEASURED = """
import atexit, sys
def peak():
    lines = open("/proc/self/status").read().splitlines()
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
atexit.register(peak)
from payops.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


if __name__ == "__main__":
    for each in run():
        print(each, flush=True)
