"""The command line's root. Imports nothing heavy: `payops --help` must be instant."""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from payops import __version__
from payops.cli import (
    apply,
    circuit,
    config,
    connections,
    demo,
    diagnose,
    drill,
    health,
    impact,
    init,
    journal,
    keys,
    lab,
    reconcile,
    remedy,
    runbook,
    stats,
    trace,
    undo,
    webhooks,
)
from payops.cli.boundary import INTERRUPTED, OWN_FAULT, emit, guarded, leave, tell, tell_monitor
from payops.cli.invocation import Invocation
from payops.cli.reporting import reporting
from payops.errors import PayopsError, UsageError

app = typer.Typer(
    name="payops",
    help="What an on-call engineer runs when payments break.\n\n"
    "Start with `payops health`; without any services, `payops demo`.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich would double the time of `--help`
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Recent typers have their own copy of click, older ones import it: ask typer which one it uses.
CommandLineError: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)

# Options that stand before the command, and how many values each takes. They are accepted after it
# too: nobody remembers the order at 3 a.m.
_GLOBAL = {"--config": 1, "--environment": 1, "--no-color": 0, "--verbose": 0}


def _version(wanted: bool) -> None:
    if wanted:
        emit(f"payops {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="Configuration file.", show_default=False)
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Refuse a configuration for another environment."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """What stands before the command."""
    ctx.obj = Invocation(config, environment, no_color, verbose)


app.command()(reporting(health.health))
app.command()(reporting(diagnose.diagnose))
app.command()(reporting(impact.impact))
app.add_typer(circuit.app, name="circuit")
app.add_typer(reconcile.app, name="reconcile")
app.command()(reporting(trace.trace))
app.command()(reporting(stats.stats))
app.command()(reporting(connections.connections))
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(keys.app, name="keys")
app.command()(init.init)
app.add_typer(config.app, name="config")
app.add_typer(lab.app, name="lab")
app.command()(apply.apply)
app.command()(undo.undo)
app.add_typer(journal.app, name="journal")
app.add_typer(remedy.app, name="remedy")
app.add_typer(runbook.app, name="runbook")
app.command()(demo.demo)
app.command()(drill.drill)


def hoisted(arguments: Sequence[str]) -> list[str]:
    """`arguments` with the options of the root moved to the front, up to a `--`.

    Raises UsageError for one at the end that lacks its value.

    >>> hoisted(["health", "--config", "x.yaml", "-o", "json"])
    ['--config', 'x.yaml', 'health', '-o', 'json']
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*front, *rest, word, *waiting]
        name, equals, _ = word.partition("=")
        if name in _GLOBAL:
            front.append(word)
            if _GLOBAL[name] and not equals:
                if not waiting:
                    raise UsageError(f"{name} needs a value")
                front.append(waiting.pop(0))
        else:
            rest.append(word)
    return front + rest


def run(arguments: Sequence[str]) -> int:
    """Run one command line; its exit status. Writes to stdout and stderr only."""
    return guarded(
        lambda: _click(hoisted(arguments)),
        verbose=lambda: "--verbose" in arguments,
        monitored="--check" in arguments,
    )


def _click(words: list[str]) -> int:
    try:
        answer: Any = app(args=words or ["--help"], prog_name="payops", standalone_mode=False)
    except CommandLineError as error:
        said = error.format_message()  # type: ignore[attr-defined]
        if type(error).__name__ == "NoArgsIsHelpError":  # `payops lab`: shows its help
            emit(f"{said}\n")
            return 0
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "payops"
        told = f"{said.rstrip('.?')}{'?' if said.endswith('?') else '.'} See `{path} --help`"
        tell(f"payops: {told}")
        if "--check" in words:
            tell_monitor(told)
        return OWN_FAULT
    except SystemExit:  # click's own, when the reader of its help has gone away
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        # click's own writing, of help: `payops --help > /dev/full`
        raise PayopsError(f"the output cannot be written: {error.strerror}") from error
    except typer.Abort:
        raise KeyboardInterrupt from None
    if answer == INTERRUPTED:  # what newer typers make of ^C
        raise KeyboardInterrupt
    return answer if isinstance(answer, int) else 0


def main() -> NoReturn:
    """The `payops` script."""
    # Importing three client libraries makes some 200,000 objects that all stay: looking through
    # them for garbage after each 700 is a tenth of the time of `payops health`.
    gc.set_threshold(50_000, 20, 20)
    leave(run(sys.argv[1:]))
