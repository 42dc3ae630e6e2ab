"""`payops runbook run`: leads a tired person through it without losing a step."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

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


def run(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A runbook, or a scenario; --resume needs none."),
    ] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="Only what changes nothing; ask nobody.")
    ] = False,
    first: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Begin there: its id or number.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the latest run that was left.")
    ] = False,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="For {NAME} in its steps. Repeatable."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Look so far back: 6h; 1h, or what the page says."),
    ] = None,
    began: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the incident began, for the clock: 10m, a time."),
    ] = None,
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Go through a runbook: payops looks and shows, asks before each change, writes all down.

    The talk is on stderr, the summary for the ticket on stdout. Exit status, of what verifies it
    at the end: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN or left before.
    """
    from payops.cli.runbook_session import Session

    asked = invocation(ctx)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    now = datetime.now(UTC)
    counted = now if began is None else window_option(began, now, option="--began").since
    if since is not None:
        window_option(since, now)
    _refuse_odd_options(name, auto=auto, first=first, resume=resume, check=check)
    parameters = _parameters(given)
    if resume and parameters:
        raise UsageError("--resume goes on with what was set", hint="drop --set")
    session = Session(asked, asked.load(), since, seconds, auto=auto)
    if resume:
        run = session.left(name)
    else:
        assert name is not None  # noqa: S101  refused above
        offered = session.offered(name) if first is None else None
        run = offered or session.new(name, first, parameters, counted)
    if began is not None:
        run = replace(run, began=counted)
    return show(session.carried_out(run), chosen, asked)


def _refuse_odd_options(
    name: str | None, *, auto: bool, first: str | None, resume: bool, check: bool
) -> None:
    """Raises UsageError for options that exclude each other, and where nobody is to be asked."""
    if name is None and not resume:
        raise UsageError("which runbook?", hint="see `payops runbook list`")
    if resume and (auto or first):
        raise UsageError("--resume goes on where it was, asking", hint="drop --auto and --from")
    if check and not auto:
        raise UsageError("--check is for cron, where nobody is asked", hint="add --auto")
    if not auto and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError(
            "a runbook asks a person, and the input is no terminal",
            hint="--auto does what needs nobody",
        )


def _parameters(given: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {text!r} is not NAME=VALUE")
        found[name] = value
    return found
