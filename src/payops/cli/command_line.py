"""Reads a command line as payops would, without running it: for the lines of runbooks."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from functools import cache
from typing import Any

import typer

from payops.errors import UsageError
from payops.runbook.lines import CommandLine

_ASKS_FOR_HELP = "asks for help, and does nothing"


def parse(words: Sequence[str]) -> CommandLine:
    """The words behind `payops`, understood by the real command line. Raises UsageError.

    Names of checks and of outputs in them are looked up too. What stands before the command
    (`--config`) counts among what is given.
    """
    from payops.cli.main import CommandLineError, hoisted

    here = _root()
    path: tuple[str, ...] = ()
    if _does_at_once() & {word.partition("=")[0] for word in words}:
        raise UsageError(_ASKS_FOR_HELP)
    try:
        rest = hoisted(words)
        ctx = here.make_context("payops", list(rest))
        contexts = [ctx]
        while hasattr(here, "resolve_command"):  # typer may bring a click of its own
            waiting = [*ctx._protected_args, *ctx.args]
            if not waiting and here.invoke_without_command:
                break
            name, here, rest = here.resolve_command(ctx, waiting)
            path = (*path, str(name))
            with redirect_stdout(io.StringIO()):  # `-yh` writes its help before it is refused
                ctx = here.make_context(name, list(rest), parent=ctx)
            contexts.append(ctx)
    except CommandLineError as error:
        told = str(error.format_message()).rstrip(".")  # type: ignore[attr-defined]
        raise UsageError(told.splitlines()[0] if told else "is no whole command") from None
    except (typer.Exit, SystemExit):
        raise UsageError(_ASKS_FOR_HELP) from None
    given = dict(one for each in contexts for one in _given(each))
    _names_are_known(given)
    return CommandLine(path, given)


@cache
def commands() -> frozenset[tuple[str, ...]]:
    """The paths of all commands and groups."""
    return frozenset(_below(_root(), ()))


@cache
def _does_at_once() -> frozenset[str]:
    """Options that act as soon as they are read: help, the version, and completion, which is
    written into the shell's own files. A line with one is not even parsed."""
    eager = (each for each in _root().params if each.is_eager or not each.expose_value)
    return frozenset({*(opt for each in eager for opt in each.opts), "--help", "-h"})


@cache
def _root() -> Any:
    """The whole command line: making it takes longer than reading a hundred lines by it."""
    from payops.cli.main import app

    return typer.main.get_command(app)


def _below(here: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(here, "commands", {}).items():
        yield (*path, name)
        yield from _below(command, (*path, name))


def _given(ctx: Any) -> Iterator[tuple[str, object]]:
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name)
        if source is not None and source.name == "COMMANDLINE":
            flags = [flag for flag in parameter.opts if flag.startswith("--")]
            value = ctx.params.get(parameter.name)
            yield (flags[0] if flags else str(parameter.name)), _plain(value)


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | list | tuple) else str(value)


def _names_are_known(given: dict[str, object]) -> None:
    from payops.formats import known_output

    if isinstance(output := given.get("--output"), str):
        known_output(output)
