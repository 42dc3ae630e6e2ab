"""`payops impact`: whom it hurts, and how much."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from payops.cli.boundary import tell
from payops.cli.diagnose import on_fault
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


def impact(
    ctx: typer.Context,
    since: SinceOption = "1h",
    affected: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write whom it concerns, e-mail addresses too: key, contact, amount, what.",
        ),
    ] = None,
    deadline: DeadlineOption = "1m",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Count the payments that failed or differ: how many, how much money, whose, what was refunded.

    Exit status, of the checks that count them: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.diagnosis_impact import impact as counted

    ends = Deadline.after(seconds)
    with located(loaded.path):
        done = counted(loaded.settings, window, ends, affected=affected, on_fault=on_fault(asked))
    if not check:
        for note in done.notes:
            tell(f"payops: {note}")
    return show(done.report, chosen, asked)
