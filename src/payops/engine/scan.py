"""`payops keys scan`: files, standard input and sampled columns, one report."""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.keys.ignore import Rule, sifted
from payops.keys.patterns import Kind
from payops.keys.scan_files import Job, Scanned, Walk, scan_stream, walked
from payops.keys.scan_findings import Finding
from payops.keys.scan_lanes import WORTH_A_PROCESS, scanned
from payops.keys.scan_report import Looked, results, table
from payops.keys.scan_secrets import known_secrets
from payops.keys.scan_window import Window

STDIN = "(stdin)"


@dataclass(frozen=True)
class ScanOptions:
    """What is looked at, and how.

    `stdin` reads standard input when it is scanned too; `rows` are read of each table when the
    database is; `since` (epoch seconds) leaves out older files below folders; `limit` rows of the
    table are shown, None for all.
    """

    paths: tuple[str, ...] = ()
    stdin: Callable[[int], bytes] | None = None
    database: bool = False
    rows: int = 1000
    jobs: int = 0
    strict: bool = False
    since: float | None = None
    rules: tuple[Rule, ...] = ()
    limit: int | None = 20


@dataclass
class _Seen:
    """What has been looked at so far."""

    findings: list[Finding] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    beyond: Counter[Kind] = field(default_factory=Counter)
    files: int = 0
    size: int = 0
    rows: int = 0


def scan(settings: Settings, options: ScanOptions, deadline: Deadline) -> Report:
    """Scan all that was asked for; never later than `deadline`, with what was found until then."""
    started = time.monotonic()
    now = datetime.now(UTC)
    known, too_plain = known_secrets(settings)
    job = Job(known, secrets.token_bytes(16), options.strict)
    seen, walk = _Seen(), walked(options.paths, options.since)
    seen.failures += [(_named(path, job), why) for path, why in walk.unreadable]
    _scan_files(walk, job, options, deadline, seen)
    if options.stdin is not None:
        read = scan_stream(options.stdin, job, lambda: not deadline.remaining)
        _settle(STDIN, [read], seen)
    if options.database:
        from payops.engine.scan_database import scan_database

        found = scan_database(settings, job, options.rows, deadline, now)
        seen.findings += found.findings
        seen.checks.append(found.check)
        seen.failures += found.failures
        seen.others.update(found.others)
        seen.rows += found.rows
    sieve = sifted(seen.findings, options.rules)
    looked = Looked(
        files=seen.files,
        size=seen.size,
        rows=seen.rows,
        seconds=time.monotonic() - started,
        links=walk.links,
        special=walk.special,
        old=walk.old,
        failures=tuple(seen.failures),
        others=seen.others,
        beyond=seen.beyond,
        too_plain=too_plain,
        searched=len(known),
        ignored=sieve.ignored,
        unused=sieve.unused,
    )
    return Report(
        command="keys scan",
        generated_at=now,
        environment=settings.environment,
        checks=(*results(sieve.kept, looked, now), *seen.checks),
        duration_ms=round((time.monotonic() - started) * 1000),
        tables=(table(sieve.kept, options.limit),),
    )


def _scan_files(
    walk: Walk, job: Job, options: ScanOptions, deadline: Deadline, seen: _Seen
) -> None:
    if not walk.parts:
        return
    jobs = options.jobs or _cores()
    # Two small files are read by one process sooner than a second one has started.
    lanes = min(jobs, len(walk.parts), 1 + walk.size // WORTH_A_PROCESS)
    expected = Counter(part.path for part in walk.parts)
    arrived: dict[str, list[Scanned]] = {}
    for done in scanned(walk.parts, job, lanes, deadline):
        path = done.part.path
        arrived.setdefault(path, []).append(done)
        if len(arrived[path]) == expected[path]:
            _settle(_named(path, job), arrived.pop(path), seen)


def _settle(name: str, parts: list[Scanned], seen: _Seen) -> None:
    """Take in a file of which every part is there."""
    parts.sort(key=lambda done: done.part.number)
    whole, *later = parts
    lines = whole.lines
    for part in later:
        part.findings.moved(lines)
        whole.findings.merge(part.findings)
        lines += part.lines
    binary = any(part.binary for part in parts)
    seen.findings += [
        replace(finding, path=name, line_based=not binary) for finding in whole.findings.settled()
    ]
    seen.others.update(whole.findings.others)
    seen.beyond.update(whole.findings.beyond)
    size = sum(part.read for part in parts)
    seen.size += size
    failures = dict.fromkeys(part.failure for part in parts if part.failure)
    seen.failures += [(name, failure) for failure in failures]
    seen.files += 1 if size or not failures else 0


def _named(path: str, job: Job) -> str:
    """A file's name as a report may show it: what is secret in it is masked."""
    text = os.fsencode(path)
    for hit in sorted(Window(job.secrets).whole(text), key=lambda hit: -hit.start):
        if hit.number is None or hit.number.passes:
            text = text[: hit.start] + f"[{hit.shown}]".encode() + text[hit.end :]
    return text.decode("utf-8", "surrogateescape")


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1
