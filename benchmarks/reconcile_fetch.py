"""The whole of `payops reconcile` on a million payments: a real Postgres, a list of Stripe's shape.

Both sides agree, so what is measured is reading both and matching all of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.fetch import server
from benchmarks.fetch_server import FIRST
from payops.lab.servers.postgres import PostgresServer
from payops.lab.stripe import default_key

PAYMENTS = 1_000_000
_CONFIG = """\
environment: bench
stripe: {{secret_key: {key}, api_base: {url}}}
postgres: {{dsn: "{dsn}"}}
paths: {{state: {state}}}
ledgers:
  payments:
    table: payments
    columns: {{id: id, processor_ref: ref, status: status, amount: amount, currency: currency,
      created_at: created_at}}
    statuses: {{succeeded: [succeeded]}}
"""


def run() -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| payments | seconds | CPU s | peak memory | of it: matched |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        directory = Path(folder)
        postgres = PostgresServer(directory / "postgres")
        postgres.start()
        try:
            _fill(postgres.dsn)
            with server(PAYMENTS) as url:
                yield _measured(directory, postgres.dsn, url)
        finally:
            postgres.remove()


def _measured(directory: Path, dsn: str, url: str) -> str:
    config = directory / "payops.yaml"
    text = _CONFIG.format(key=default_key(), url=url, dsn=dsn, state=directory / "state")
    config.write_text(text, "utf-8")
    edges = [datetime.fromtimestamp(FIRST + each, UTC).isoformat() for each in (0, PAYMENTS)]
    window = ["--since", edges[0], "--until", edges[1]]
    command = [sys.executable, "-m", "benchmarks.reconcile_client", "--config", str(config)]
    with (directory / "report.json").open("wb") as out:
        began = time.perf_counter()
        running = subprocess.Popen(
            [*command, "reconcile", *window, "-o", "json"],
            stdout=out,
            stderr=subprocess.PIPE,
        )
        assert running.stderr is not None
        peaks: list[int] = []
        watching = threading.Thread(target=_watch, args=(running.pid, peaks), daemon=True)
        watching.start()
        said = running.stderr.read()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        running.stderr.close()
        seconds = time.perf_counter() - began
    if running.returncode:
        raise SystemExit(f"payops reconcile: {running.returncode}: {said.decode()}")
    report = json.loads((directory / "report.json").read_text("utf-8"))
    matched = report["totals"]["matched"]["count"]
    return (
        f"| {PAYMENTS:,} | {seconds:.1f} | {used.ru_utime + used.ru_stime:.1f} "
        f"| {max(peaks, default=0) / 1024:.0f} MB | {matched:,} |"
    )


def _watch(pid: int, peaks: list[int]) -> None:
    """The process's own peak in KiB, as long as it runs. Not by wait4: that maximum begins with
    what the parent had when the child was forked."""
    while True:
        try:
            status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        except OSError:
            return
        found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        if not found:  # it has ended
            return
        peaks.append(int(found[0]))
        time.sleep(0.05)


def _fill(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE payments (id bigint PRIMARY KEY, ref text, status text, amount bigint,"
            " currency text, created_at timestamptz)"
        )
        connection.execute(
            "INSERT INTO payments SELECT n, 'pi_' || lpad(n::text, 24, '0'), 'succeeded', 1999,"
            " 'usd', to_timestamp(%s + n) FROM generate_series(0, %s - 1) AS n",
            [FIRST, PAYMENTS],
        )
        connection.execute("CREATE INDEX ON payments (created_at)")
        connection.execute("ANALYZE payments")


def main() -> None:
    """Print the table."""
    for line in run():
        print(line, flush=True)


if __name__ == "__main__":
    main()
