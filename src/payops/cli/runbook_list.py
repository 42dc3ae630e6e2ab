"""`payops runbook list` and `show`: which runbooks there are, and what one says."""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from payops.cli.apply import PlanOutput, output_of
from payops.cli.boundary import emit
from payops.cli.invocation import invocation
from payops.cli.runbook_shelf import shelf_told

_WIDEST = 100  # of a page: longer lines are hard to read


def list_(output: PlanOutput = None) -> int:
    """List the runbooks: payops' own, and yours in the user's folder of configuration."""
    chosen = output_of(output)
    runbooks = shelf_told().runbooks
    if chosen == "json":
        from payops.formats.runbooks.data import list_as_json

        emit(list_as_json(runbooks))
    else:
        from payops.formats.runbooks.listing import listing

        emit(listing(runbooks, chosen, shutil.get_terminal_size((80, 24)).columns))
    return 0


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="A runbook, or a scenario of one.")],
    output: PlanOutput = None,
) -> int:
    """Show a runbook: laid out on a terminal, Markdown in a pipe, its steps as JSON."""
    from payops.runbook.shelf import runbook

    chosen = output_of(output)
    page = runbook(name, shelf_told().runbooks)
    if chosen == "json":
        from payops.formats.runbooks.data import page_as_json

        emit(page_as_json(page))
        return 0
    from payops.formats.runbooks.page import as_markdown, on_terminal

    if chosen == "table":
        width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
        emit(on_terminal(page, width, colour=invocation(ctx).colour))
    else:
        emit(as_markdown(page))
    return 0
