"""`python -m benchmarks [--write] [WORD]...`: runs all, or the sections with such a word in their
title, and prints Markdown; --write keeps it in the docs, beside the sections that did not run."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from benchmarks import (
    accuracy,
    fetch,
    health_large,
    match,
    reconcile_fetch,
    scan,
    startup,
    webhooks,
)

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEADING = """\
# Benchmarks

Ratios within one run: machines are noisy, so single times mean little and ratios hold. Written by
`make bench ARGS=--write`; `make bench` prints the same without writing, `make bench ARGS=scanning`
one section.
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
    ("Accuracy of `payops diagnose`", accuracy.run),
)


def _where_and_when() -> str:
    python = f"Python {platform.python_version()}"
    cores = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} with {python} on {cores}.\n"


def _kept() -> dict[str, str]:
    """The page's sections as they stand, by title."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:] if PAGE.exists() else []
    return {title: text.strip("\n") for title, _, text in (part.partition("\n") for part in parts)}


def main() -> None:
    """Run every benchmark, or those that are named."""
    words = [word.lower() for word in sys.argv[1:] if not word.startswith("--")]
    sections = _kept()
    print(HEADING + "\n" + _where_and_when(), flush=True)
    for title, run in SECTIONS:
        if words and not any(word in title.lower() for word in words):
            continue
        lines = []
        print(f"## {title}\n", flush=True)
        for line in chain(run(), [""]):
            lines.append(line)
            print(line, flush=True)
        sections[title] = "\n".join(lines).strip("\n")
    if "--write" in sys.argv[1:]:
        told = [f"## {title}\n\n{sections[title]}" for title, _ in SECTIONS if title in sections]
        page = "\n\n".join([f"{HEADING}\n{_where_and_when().strip()}", *told])
        PAGE.write_text(page + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
