"""Reads a command line as payops would, without running it: for the lines of runbooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import typer

from payops.errors import UsageError
from payops.runbook.lines import CommandLine


def parse(words: Sequence[str]) -> CommandLine:
    """The words behind `payops`, understood by the real command line. Raises UsageError.

    Names of checks and of outputs in them are looked up too.
    """
    from payops.cli.main import CommandLineError, hoisted

    here = _root()
    path: tuple[str, ...] = ()
    try:
        rest = hoisted(words)
        ctx = here.make_context("payops", list(rest))
        while hasattr(here, "resolve_command"):  # typer may bring a click of its own
            waiting = [*ctx._protected_args, *ctx.args]
            if not waiting and here.invoke_without_command:
                break
            name, here, rest = here.resolve_command(ctx, waiting)
            path = (*path, str(name))
            ctx = here.make_context(name, list(rest), parent=ctx)
    except CommandLineError as error:
        told = str(error.format_message()).rstrip(".")  # type: ignore[attr-defined]
        raise UsageError(told.splitlines()[0] if told else "is no whole command") from None
    except (typer.Exit, SystemExit):
        raise UsageError("asks for help, and does nothing") from None
    given = dict(_given(ctx))
    _names_are_known(given)
    return CommandLine(path, given)


@cache
def commands() -> frozenset[tuple[str, ...]]:
    """The paths of all commands and groups."""
    return frozenset(_below(_root(), ()))


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
