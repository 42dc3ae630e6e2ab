"""`payops keys scan`: have keys, secrets or card numbers leaked into logs, files or columns."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import ended_in_order
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    Invocation,
    OutputOption,
    chosen_output,
    duration_option,
    invocation,
    show,
    window_option,
)
from payops.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline

_WHOLE = frozenset({"json", "csv"})  # outputs for programs have every finding
_TICK_S = 0.25


def scan(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files and folders; - is standard input."),
    ] = None,
    database: Annotated[
        bool, typer.Option("--database", help="Sample text and JSON columns of mapped tables.")
    ] = False,
    ignore_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Known findings: see docs/scan.md.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Below folders, only files changed since: 24h, 7d."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Numbers too that look like ids: order_id=…")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, max=100_000, help="Rows read of each table.")] = 1000,
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes; 0 is one a core.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Findings shown; json and csv have all.")] = 20,
    deadline: DeadlineOption = "10m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Look for leaked keys, secrets and card numbers; what is found is shown masked.

    Files may be packed (gz, bz2, xz). Without a configuration its own secrets are not searched
    for. Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    chosen = chosen_output(output, check=check)
    ends = Deadline.after(duration_option("--deadline", deadline).total_seconds())
    given = tuple(dict.fromkeys(paths or ()))
    if not given and not database:
        raise UsageError("nothing to scan", hint="name files or folders, - or --database")
    changed = window_option(since, datetime.now(UTC)).since.timestamp() if since else None

    from payops.engine.scan import ScanOptions
    from payops.engine.scan import scan as scan_all
    from payops.keys.ignore import read_rules

    options = ScanOptions(
        paths=tuple(path for path in given if path != "-"),
        stdin=_stdin(ends) if "-" in given else None,
        database=database,
        rows=rows,
        jobs=jobs,
        strict=strict,
        since=changed,
        rules=read_rules(ignore_file) if ignore_file else (),
        limit=None if chosen in _WHOLE else limit,
    )
    settings = _settings(asked, needed=database)
    with ended_in_order():
        report = scan_all(settings, options, ends)
    return show(report, chosen, asked)


def _settings(asked: Invocation, *, needed: bool) -> Settings:
    """The configuration; payops' own where there is none, since a log can be scanned anywhere."""
    from payops.config.settings import Settings

    try:
        return asked.load().settings
    except ConfigError as error:
        if needed or error.file or asked.config or asked.environment:
            raise
        return Settings(environment="")


def _stdin(deadline: Deadline) -> Callable[[int], bytes]:
    """Reads standard input until it ends, or the deadline comes: a pipe may never end."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    number = sys.stdin.fileno()

    def read(most: int) -> bytes:
        while deadline.remaining:
            ready, _, _ = select.select([number], [], [], min(_TICK_S, deadline.remaining))
            if ready:
                return os.read(number, most)
        return b""

    return read
