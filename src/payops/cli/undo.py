"""`payops undo`: puts back what the journal saw."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Annotated

import typer

from payops.cli.apply import (
    DryOption,
    ForceOption,
    Options,
    PlanOutput,
    YesOption,
    carry_out,
    database_failures,
    output_of,
    show_plan,
)
from payops.cli.invocation import invocation
from payops.errors import UsageError


def undo(
    ctx: typer.Context,
    entry: Annotated[
        int | None, typer.Argument(metavar="[ENTRY]", help="Number of an entry in the journal.")
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="All that a plan changed; its digest's beginning."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what would be put back.")] = False,
    dry_run: DryOption = False,
    force: ForceOption = False,
    yes: YesOption = False,
    output: PlanOutput = None,
) -> int:
    """Put back what an entry of the journal, or a whole plan, changed: where nobody did since.

    A row that was inserted is deleted. Exit status as of `payops apply`.
    """
    from payops.engine.applier import Choice
    from payops.engine.journal import Journal
    from payops.engine.undo import undo_plan
    from payops.reconcile.spool import state_folder

    if (entry is None) == (plan is None):
        raise UsageError("name an ENTRY or a --plan, one of them", hint="see `payops journal`")
    chosen = output_of(output)
    asked = invocation(ctx)
    settings = asked.load().settings
    command = f"payops undo {entry}" if plan is None else f"payops undo --plan {shlex.quote(plan)}"
    with database_failures():
        inverse = undo_plan(
            Journal(state_folder(settings)).trusted(),
            settings,
            entry=entry,
            plan=plan or "",
            command=command,
            now=datetime.now(UTC),
        )
    if show:
        show_plan("undo", inverse, chosen)
        return 0
    options = Options(Choice(dry_run=dry_run, forced=force), yes, chosen, command)
    return carry_out("undo", inverse, asked, options)
