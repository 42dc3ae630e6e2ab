"""`payops reconcile payouts|external`: what is compared beside the payments themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

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


def payouts(
    ctx: typer.Context,
    since: SinceOption = "30d",
    deadline: DeadlineOption = "10m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Compare each payout with its own lines, and those with the ledger.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    ends = Deadline.after(duration_option("--deadline", deadline).total_seconds())
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.payouts import reconcile_payouts

    with located(loaded.path):
        report = reconcile_payouts(loaded.settings, window, ends)
    return show(report, chosen, asked)


def external(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Start of the window; all times when left out."
        ),
    ] = None,
    deadline: DeadlineOption = "2m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Compare outside processors' transactions with their totals, collections and commission.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    window = window_option(since, datetime.now(UTC)) if since is not None else None
    chosen = chosen_output(output, check=check)
    ends = Deadline.after(duration_option("--deadline", deadline).total_seconds())
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.external import reconcile_external

    with located(loaded.path):
        report = reconcile_external(loaded.settings, window, ends)
    return show(report, chosen, asked)
