"""`payops webhooks undelivered|stuck`: the events themselves, with filters, money and age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    OutputOption,
    SinceOption,
    chosen_output,
    duration_option,
    invocation,
    show,
    window_option,
)

if TYPE_CHECKING:
    from payops.engine.webhook_lists import Filter

TypeOption = Annotated[
    str, typer.Option("--type", metavar="GLOB", help="Of such types: 'charge.*'.")
]
OlderOption = Annotated[
    str | None,
    typer.Option("--older", metavar="DURATION", help="Made longer ago than this: 30m, 2h."),
]
LimitOption = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="So many at most.")]
CauseOption = Annotated[
    str | None,
    typer.Option("--cause", metavar="WORD", help="Of this cause alone, as `status` calls it."),
]


def undelivered(
    ctx: typer.Context,
    since: SinceOption = "3d",
    type_: TypeOption = "",
    older: OlderOption = None,
    limit: LimitOption = 100,
    cause: CauseOption = None,
    probe: Annotated[
        bool | None,
        typer.Option(
            "--probe/--no-probe",
            help="Ask the endpoints what they answer, to name the cause. Left out: only when "
            "something was not delivered.",
            show_default=False,
        ),
    ] = None,
    deadline: DeadlineOption = "1m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """List what Stripe could not deliver, the oldest first.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    window = window_option(since, datetime.now(UTC))
    wanted = _filter(type_, older, limit, cause)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    settings = asked.load().settings

    from payops.engine.webhook_lists import undelivered as listed

    return show(listed(settings, window, Deadline.after(seconds), wanted, probe), chosen, asked)


def stuck(
    ctx: typer.Context,
    since: SinceOption = "3d",
    type_: TypeOption = "",
    older: OlderOption = None,
    limit: LimitOption = 100,
    cause: CauseOption = None,
    deadline: DeadlineOption = "2m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """List what arrived and was not handled: stuck, failed, or answered 2xx without effect.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    window = window_option(since, datetime.now(UTC))
    wanted = _filter(type_, older, limit, cause)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    settings = asked.load().settings

    from payops.engine.webhook_lists import stuck as listed

    return show(listed(settings, window, Deadline.after(seconds), wanted), chosen, asked)


def _filter(type_: str, older: str | None, limit: int, cause: str | None) -> Filter:
    from payops.engine.webhook_lists import Filter, cause_named

    return Filter(
        type=type_,
        older=timedelta(0) if older is None else duration_option("--older", older),
        cause=None if cause is None else cause_named(cause),
        limit=limit,
    )
