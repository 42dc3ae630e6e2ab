"""`payops circuit status`: the state, and whether it should be so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    OutputOption,
    chosen_output,
    duration_option,
    invocation,
    show,
)

if TYPE_CHECKING:
    from payops.domain.table import Table

NameArgument = Annotated[
    str, typer.Argument(metavar="[NAME]", help="One breaker; all without it.", show_default=False)
]
_MOST_HISTORY = 20


def status(
    ctx: typer.Context,
    name: NameArgument = "",
    discover: Annotated[
        bool,
        typer.Option("--discover", help="Look for breakers that the configuration does not name."),
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Also what a watch saw and what payops did.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="Lines of history at most.")
    ] = _MOST_HISTORY,
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Read every breaker as it is stored, and hold it against Stripe and the ledger.

    Nothing is written: a breaker is never asked through its own library. Exit status: 0 OK, 1 WARN,
    2 CRIT, 3 UNKNOWN.
    """
    from payops.config.load import located
    from payops.domain.deadline import Deadline
    from payops.engine.circuit import StatusOptions
    from payops.engine.circuit import status as told

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    chosen = chosen_output(output, check=check)
    loaded = asked.load()
    past: tuple[Table, ...] = ()
    if history:
        from payops.engine.circuit_watch import history as remembered

        past = (remembered(loaded.settings, name, limit),)
    with located(loaded.path):
        report = told(loaded.settings, StatusOptions(name, discover, past), Deadline.after(seconds))
    return show(report, chosen, asked)
