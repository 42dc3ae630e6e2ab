"""`payops stats`: success, latency, declines, volume and money over time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer

from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    OutputOption,
    chosen_output,
    duration_option,
    invocation,
    show,
    window_option,
)
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.domain.report import Report
    from payops.engine.stats_spans import Period, Unit

_UNITS = ("hour", "day")
_REPORTS = ("weekly", "monthly")
_LONGEST = timedelta(days=3_660)


def stats(
    ctx: typer.Context,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="What is drawn: 24h, 7d, an ISO time.")
    ] = "24h",
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="UNIT", help="hour or day, in UTC. A report is by day."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(
            "--report",
            metavar="PERIOD",
            help="weekly or monthly: the last 7 or 30 whole days beside those before.",
        ),
    ] = None,
    ledger: Annotated[
        str, typer.Option("--ledger", metavar="NAME", help="Another ledger than the first.")
    ] = "",
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="NAME", help="These tables alone. Repeatable."),
    ] = None,
    deadline: DeadlineOption = "30s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Show success, latency, declines and volume, windows side by side and by the hour.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    begin = _begin(since)
    unit = _one_of("--by", by, _UNITS) or ("day" if report else "hour")
    period = _one_of("--report", report, _REPORTS)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.stats import stats as gathered

    ends = Deadline.after(seconds)
    with located(loaded.path):
        found = gathered(
            loaded.settings,
            begin,
            cast("Unit", unit),
            ends,
            report=cast("Period | None", period),
            ledger=ledger,
        )
    return show(_chosen(found, table or (), chosen), chosen, asked)


def _begin(since: str) -> timedelta | datetime:
    """A duration counts back from the database's clock, a time is what it is."""
    compact = since.strip()
    if not re.fullmatch(r"[0-9]{8,}", compact):  # a date, as `--since` reads it elsewhere
        try:
            length = duration_option("--since", compact)
        except UsageError:
            pass
        else:
            if length > _LONGEST:
                raise UsageError(f"--since: {since!r} is longer than ten years")
            return length
    return window_option(since, datetime.now(UTC)).since


def _one_of(option: str, given: str | None, known: tuple[str, ...]) -> str | None:
    if given is None or given in known:
        return given
    raise UsageError(f"{option}: {given!r} is not known", hint=f"one of {', '.join(known)}")


def _chosen(found: Report, names: list[str] | tuple[str, ...], output: str) -> Report:
    """The tables that are asked for, or those that suit the output: a spreadsheet is given the
    hours, since it can have one table only."""
    known = {table.id: table for table in found.tables}
    for name in names:
        if known and name not in known:
            raise UsageError(
                f"--table: there is no table {name!r}", hint=f"one of {', '.join(known)}"
            )
    if names:
        tables = tuple(known[name] for name in names if name in known)
        return replace(found, tables=tables, plots=())
    if output == "json":
        return found
    if output == "csv":
        first = sorted(found.tables, key=lambda table: table.id != "series")
        return replace(found, tables=tuple(first))
    from payops.engine.stats_tables import for_people

    return replace(found, tables=for_people(found.tables))
