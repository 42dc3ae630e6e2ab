"""`payops reconcile`: whose money is where, who did not pay after all, what puts it right."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli import reconcile_beside
from payops.cli.boundary import tell
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
from payops.cli.reporting import reporting
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.domain.discrepancy import MatchClass
    from payops.domain.window import Window
    from payops.reconcile.progress import Progress

# A page of a terminal; JSON and CSV have all of them.
_LISTED = 20
_WHOLE = frozenset({"json", "csv"})
_EVERY_CLASS = frozenset({"json", "nagios", "junit", "prometheus"})
_TERMINAL_EVERY_S = 1.0
_PIPE_EVERY_S = 10.0


def reconcile(
    ctx: typer.Context,
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="Start of the window: 24h, 7d, an ISO time."),
    ] = "24h",
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="End of the window.", show_default="now"),
    ] = None,
    ledger: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this mapped ledger. Repeatable."),
    ] = None,
    stripe_file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Stripe's side from an export (JSON, NDJSON, CSV, Parquet)."
        ),
    ] = None,
    ledger_file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="The ledger from a file (CSV, NDJSON, Parquet); NAME=FILE."
        ),
    ] = None,
    save_plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the plan that puts right what may be."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS,…", help="Only these classes: missing_in_ledger, …"),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="List at most so many.  [default: 20; JSON, CSV: all]",
            show_default=False,
        ),
    ] = None,
    show_matched: Annotated[
        bool, typer.Option("--show-matched", help="List what matches, too.")
    ] = False,
    affected: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write whom it concerns: key, contact, amount, what."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do not go on with an interrupted run.")
    ] = False,
    deadline: DeadlineOption = "1h",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Compare Stripe with the ledger: who was charged and is not recorded, and the reverse.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    if ctx.invoked_subcommand is not None:
        return 0
    asked = invocation(ctx)
    now = datetime.now(UTC)
    window = _window(since, until, now)
    chosen = chosen_output(output, check=check)
    classes = _classes(only or ())
    ends = Deadline.after(duration_option("--deadline", deadline).total_seconds())
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.reconcile import ReconcileOptions, reconcile, without_empty

    options = ReconcileOptions(
        window=window,
        ledgers=tuple(ledger) if ledger else None,
        stripe_files=tuple(stripe_file or ()),
        ledger_files=tuple(ledger_file or ()),
        only=classes,
        limit=limit if limit is not None else None if chosen in _WHOLE else _LISTED,
        show_matched=show_matched,
        fresh=fresh,
        look_for_causes=not check,
        save_plan=save_plan,
        affected=affected,
        command=_again(since, until, ledger, stripe_file, ledger_file),
        progress=None if check else _progress(),
    )
    with located(loaded.path):
        done = reconcile(loaded.settings, options, ends)
    notes = () if check else done.notes
    # What to do with a plan stands below the report, which may be longer than a screen.
    below = [note for note in notes if note.startswith("plan: ")]
    for note in notes:
        if note not in below:
            tell(f"payops: {note}")
    every = chosen in _EVERY_CLASS or asked.remembers
    report = done.report if every else without_empty(done.report)
    code = show(report, chosen, asked)
    for note in below:
        tell(f"payops: {note}")
    return code


app = typer.Typer(
    callback=reporting(reconcile),
    invoke_without_command=True,
    rich_markup_mode=None,
    no_args_is_help=False,
)
app.command()(reporting(reconcile_beside.payouts))
app.command()(reporting(reconcile_beside.external))


def _window(since: str, until: str | None, now: datetime) -> Window:
    from payops.domain.duration import parse_moment
    from payops.domain.window import Window

    begin = window_option(since, now)
    if until is None:
        return begin
    try:
        end = parse_moment(until, now)
    except ValueError as error:
        raise UsageError(f"--until: {error}") from None
    if end <= begin.since:
        raise UsageError(f"--until: {until!r} is not after --since {since!r}")
    return Window(begin.since, min(end, now))


def _classes(only: list[str] | tuple[str, ...]) -> tuple[MatchClass, ...]:
    from payops.domain.discrepancy import MatchClass

    known = {each.value: each for each in MatchClass}
    chosen: dict[MatchClass, None] = {}
    for word in (part.strip() for given in only for part in given.split(",")):
        name = word.removeprefix("reconcile.").replace("-", "_").lower()
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            raise UsageError(f"--only: there is no class {word!r}", hint=hint)
        chosen[known[name]] = None
    return tuple(chosen)


def _again(
    since: str,
    until: str | None,
    ledger: list[str] | None,
    stripe_file: list[str] | None,
    ledger_file: list[str] | None,
) -> str:
    """The command line to repeat, for the next command of a finding."""
    words = ["payops", "reconcile", "--since", since]
    words += ["--until", until] if until else []
    for option, values in (
        ("--ledger", ledger),
        ("--stripe-file", stripe_file),
        ("--ledger-file", ledger_file),
    ):
        for value in values or ():
            words += [option, value]
    return shlex.join(words)


def _progress() -> Callable[[Progress], None]:
    from payops.reconcile.progress import plain_lines

    terminal = sys.stderr is not None and sys.stderr.isatty()
    every = _TERMINAL_EVERY_S if terminal else _PIPE_EVERY_S
    return plain_lines(lambda text: tell(f"payops: {text}"), every)
