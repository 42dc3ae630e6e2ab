"""`payops connections [ID]`: outside processors beside Stripe, collections and commission."""

from __future__ import annotations

from typing import Annotated

import typer

from payops.cli.boundary import tell, tell_traceback
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    OutputOption,
    chosen_output,
    duration_option,
    invocation,
    show,
)


def connections(
    ctx: typer.Context,
    id_: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One connection's key; all without.")
    ] = None,
    since: Annotated[
        str,
        typer.Option("--since", metavar="DURATION", help="Whose transactions are added up."),
    ] = "30d",
    deadline: DeadlineOption = "20s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Show outside processors' connections, collections and commission, and what to do.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    length = duration_option("--since", since)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.connections import connections as gathered

    def on_fault(check_id: str, trace: str) -> None:
        tell(f"payops: fault of payops in {check_id}; the other checks are not touched")
        if asked.verbose:
            tell_traceback(trace)

    ends = Deadline.after(seconds)
    with located(loaded.path):
        report = gathered(loaded.settings, length, ends, only=id_, on_fault=on_fault)
    return show(report, chosen, asked)
