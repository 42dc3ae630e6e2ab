"""`payops runbook check`: whether runbooks can be run, before anybody needs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import OWN_FAULT, emit, emit_text
from payops.cli.invocation import invocation
from payops.cli.runbook_shelf import misfits_in, settings_if_any
from payops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from payops.domain.runbook import Runbook
    from payops.runbook.shelf import Shelf
    from payops.runbook.sound import Misfit

ListOutput = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FORMAT", help="plain or json.", show_default=False),
]


def check(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE...]", help="These pages; all that there are without it."),
    ] = None,
    output: ListOutput = None,
) -> int:
    """Check runbooks: steps, jumps, checks, commands, what is read-only. Runs nothing.

    Exit status: 0 all can be run, 3 some cannot.
    """
    from payops.runbook.shelf import shelf

    chosen = chosen_list_output(output)
    settings = settings_if_any(invocation(ctx))
    there = shelf()
    pages, unreadable = _read(files, there)
    misfits = (*unreadable, *misfits_in(pages, there.runbooks, settings))
    if chosen == "json":
        emit(json.dumps(_as_document(pages, misfits), indent=2) + "\n")
    else:
        emit_text("".join(f"{each}\n" for each in misfits))
        wrong = len({each.file for each in misfits})
        told = f"{wrong} cannot be run" if wrong else "all can be run"
        count = len(pages) + len(unreadable)
        emit_text(f"{count} runbook{'' if count == 1 else 's'}: {told}\n")
    return OWN_FAULT if misfits else 0


def chosen_list_output(output: str | None) -> str:
    """plain or json. Raises UsageError."""
    from payops.errors import UsageError

    if output not in (None, "plain", "table", "json"):
        raise UsageError(f"{output!r} is not an output of this command", hint="plain or json")
    return "json" if output == "json" else "plain"


def _read(files: Sequence[Path] | None, there: Shelf) -> tuple[list[Runbook], list[Misfit]]:
    """The pages asked for, and those that cannot be read."""
    from payops.runbook.read import read_runbook
    from payops.runbook.sound import Misfit

    if not files:
        return list(there.runbooks), [Misfit(e.file, "", _without_file(e)) for e in there.broken]
    pages: list[Runbook] = []
    unreadable: list[Misfit] = []
    for path in files:
        try:
            page = read_runbook(path)
        except ConfigError as error:
            unreadable.append(Misfit(str(path), "", _without_file(error)))
            continue
        pages.append(page)
        if page.id != path.stem:
            unreadable.append(Misfit(str(path), "id", f"is {page.id!r}, unlike the file's name"))
    return pages, unreadable


def _without_file(error: ConfigError) -> str:
    line = f"line {error.line}: " if error.line else ""
    return f"{line}{error.path}: {error.message}" if error.path else f"{line}{error.message}"


def _as_document(pages: Sequence[Runbook], misfits: Sequence[Misfit]) -> dict[str, object]:
    from payops.domain.report import SCHEMA_VERSION
    from payops.domain.secret import redact

    return {
        "schema_version": SCHEMA_VERSION,
        "command": "runbook check",
        "status": "UNKNOWN" if misfits else "OK",
        "runbooks": [page.id for page in pages],
        "misfits": [
            {"file": each.file, "place": each.place, "what": redact(each.what)} for each in misfits
        ],
    }
