"""`python -m benchmarks [--write]`: runs all, prints Markdown; --write keeps it in the docs."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from benchmarks import fetch, health_large, match, reconcile_fetch, scan, startup, webhooks

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEADING = """\
# Benchmarks

Ratios within one run: machines are noisy, so single times mean little and ratios hold. Written by
`make bench ARGS=--write`; `make bench` prints the same without writing.
"""
# Title, and what yields the lines of its tables as each measurement ends.
SECTIONS: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
    ("Starting", startup.run),
    ("Fetching Stripe's side", fetch.run),
    ("Matching", match.run),
    ("The whole of `payops reconcile`", reconcile_fetch.run),
    ("`payops health` on a million rows", health_large.run),
    ("Scanning logs", scan.run),
    ("The way of 100,000 events", webhooks.run),
)


def _where_and_when() -> str:
    python = f"Python {platform.python_version()}"
    cores = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} with {python} on {cores}.\n"


def main() -> None:
    """Run every benchmark."""
    lines = [HEADING, _where_and_when()]
    print("\n".join(lines), flush=True)
    for title, run in SECTIONS:
        for line in chain([f"## {title}\n"], run(), [""]):
            lines.append(line)
            print(line, flush=True)
    if "--write" in sys.argv[1:]:
        PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
