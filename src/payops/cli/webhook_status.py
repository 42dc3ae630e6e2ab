"""`payops webhooks status`: the whole path at a glance, event to row."""

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
from payops.errors import UsageError


def status(
    ctx: typer.Context,
    since: SinceOption = "24h",
    probe: Annotated[
        bool | None,
        typer.Option(
            "--probe/--no-probe",
            help="Ask the endpoints what they answer, by a harmless POST without a signature. Left "
            "out: only when something was not delivered.",
            show_default=False,
        ),
    ] = None,
    signed: Annotated[
        bool,
        typer.Option(
            "--signed",
            help="Also send genuine events of a type that moves nothing: tells wrong secret, "
            "swapped secrets, clock and altered body apart. They may leave rows in the event log.",
        ),
    ] = False,
    objects: Annotated[
        bool,
        typer.Option(
            "--objects/--no-objects",
            help="Also list payments and refunds, to find changes without an event: a request for "
            "each 100.",
        ),
    ] = True,
    deadline: DeadlineOption = "2m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Follow Stripe's events from their making to the ledger, and name what loses them.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    if signed and probe is False:
        raise UsageError("--signed asks the endpoints, --no-probe forbids it", hint="drop one")
    asked = invocation(ctx)
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine import webhooks

    asking = webhooks.Asking(True if signed else probe, signed, objects)
    ends = Deadline.after(seconds)
    with located(loaded.path):
        report = webhooks.status(loaded.settings, window, ends, asking)
    return show(report, chosen, asked)
