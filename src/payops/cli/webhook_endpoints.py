"""`payops webhooks endpoints`: configured, registered at Stripe, answering."""

from __future__ import annotations

from typing import Annotated

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


def endpoints(
    ctx: typer.Context,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            help="Ask each what it answers, by a harmless POST without a signature.",
        ),
    ] = True,
    deadline: DeadlineOption = "30s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Hold the configured endpoints against Stripe's list and against what answers.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    settings = asked.load().settings

    from payops.engine.webhook_lists import endpoints as looked_at

    return show(looked_at(settings, Deadline.after(seconds), probe=probe), chosen, asked)
