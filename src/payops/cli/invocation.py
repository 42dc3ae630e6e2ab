"""What the options before the command say, and what every reporting command needs of them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from payops.cli.boundary import emit
from payops.domain.duration import parse_duration, parse_moment
from payops.domain.window import Window
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.cli.reporting import Afterwards
    from payops.config.load import Loaded
    from payops.domain.report import Report

OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT",
        help="table, plain, markdown, json, csv, nagios, junit or prometheus. A table on a "
        "terminal, plain in a pipe.",
        show_default=False,
    ),
]
CheckOption = Annotated[
    bool, typer.Option("--check", help="For cron and nagios: one line with perfdata, no colour.")
]
SinceOption = Annotated[
    str, typer.Option("--since", metavar="TIME", help="Start of the window: 24h, 7d, an ISO time.")
]
DeadlineOption = Annotated[
    str, typer.Option("--deadline", metavar="DURATION", help="Nothing takes longer than this.")
]


@dataclass(frozen=True)
class Invocation:
    """The options before the command, and what a reporting command does beside its report."""

    config: str | None = None
    environment: str | None = None
    no_color: bool = False
    verbose: bool = False
    afterwards: Afterwards | None = None

    def load(self) -> Loaded:
        """The configuration that the options choose. Raises ConfigError."""
        from payops.config.load import load

        return load(self.config, environment=self.environment)

    @property
    def remembers(self) -> bool:
        """Whether the run is held against the one before: it then names what is well, too."""
        return self.afterwards is not None and self.afterwards.state is not None

    @property
    def colour(self) -> bool:
        """Colour on a terminal only, and never against the person's wish (no-color.org)."""
        return (
            not self.no_color
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
            and _on_terminal()
        )


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def invocation(ctx: typer.Context) -> Invocation:
    """The options before the command, from typer's context."""
    found = ctx.find_object(Invocation)
    return found or Invocation()


def chosen_output(output: str | None, *, check: bool) -> str:
    """The format to write: the one asked for, nagios in check mode, else by where it goes."""
    if output is not None:
        from payops.formats import known_output

        return known_output(output)
    if check:
        return "nagios"
    return "table" if _on_terminal() else "plain"


_overheard: ContextVar[list[Report] | None] = ContextVar("overheard", default=None)


@contextmanager
def overheard() -> Iterator[list[Report]]:
    """The reports that commands show inside, as they were made: for the steps of a runbook."""
    reports: list[Report] = []
    token = _overheard.set(reports)
    try:
        yield reports
    finally:
        _overheard.reset(token)


def show(report: Report, output: str, asked: Invocation) -> int:
    """Write a report, to stdout or to `--write`'s file, remember it and tell of it; its exit
    status, which nothing of that changes."""
    if (listening := _overheard.get()) is not None:
        listening.append(report)
    afterwards = asked.afterwards
    if afterwards is not None:
        report = afterwards.remembered(report)
    report = pasteable(report, asked)
    try:
        if afterwards is not None and afterwards.write is not None:
            afterwards.put(_rendered(report, output, asked, ascii_only=False))
            if afterwards.check:
                emit(_rendered(report, "nagios", asked))
        else:
            emit(_rendered(report, output, asked))
    finally:  # that the disk is full is no reason to be silent
        if afterwards is not None:
            afterwards.notify(report)
    return report.status.exit_code


def _rendered(
    report: Report, output: str, asked: Invocation, *, ascii_only: bool | None = None
) -> str:
    from payops.formats import render

    return render(
        report,
        output,
        colour=asked.colour and ascii_only is None,
        width=shutil.get_terminal_size((80, 24)).columns,
        now=datetime.now(UTC),
        ascii_only=ascii_only,
    )


def pasteable(report: Report, asked: Invocation) -> Report:
    """The report with `--config` in every next command of ours, when it was given: without it the
    command would ask another system, or none."""
    if not asked.config:
        return report
    ours = f"payops --config {shlex.quote(asked.config)} "

    return cast("Report", _repeated(report, ours))


def _repeated(value: object, ours: str) -> object:
    """`value` with `ours` before every command of ours in it, at any depth: in the actions of the
    checks, and in those of the command's own sections."""
    from payops.domain.evidence import Action
    from payops.domain.report import Report
    from payops.domain.result import CheckResult

    if isinstance(value, Action):
        if not value.command.startswith("payops "):
            return value
        return replace(value, command=ours + value.command.removeprefix("payops "))
    if isinstance(value, CheckResult | Report):
        walked = ("actions",) if isinstance(value, CheckResult) else ("checks", "extra")
        changed: dict[str, Any] = {one: _repeated(getattr(value, one), ours) for one in walked}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        if value.keys() == {"text", "command"} and str(value["command"]).startswith("payops "):
            command = ours + str(value["command"]).removeprefix("payops ")
            return {"text": value["text"], "command": command}
        return {key: _repeated(item, ours) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_repeated(item, ours) for item in value)
    return value


def duration_option(name: str, text: str) -> timedelta:
    """A positive duration given to an option. Raises UsageError."""
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    if duration <= timedelta(0):
        raise UsageError(f"{name}: {text!r} is not longer than nothing")
    return duration


def window_option(since: str, now: datetime, *, option: str = "--since") -> Window:
    """The window from `--since` to now. Raises UsageError."""
    try:
        begin = parse_moment(since, now)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if begin >= now:
        raise UsageError(f"{option}: {since!r} is not in the past")
    return Window(begin, now)
