"""`payops circuit keys` and `payops circuit idempotency`: what else of payments Redis has."""

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


def keys(
    ctx: typer.Context,
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Count idempotency keys, keys of events that were had, and caches; look at their lives.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.config.load import located
    from payops.domain.deadline import Deadline
    from payops.engine.circuit_keys import overview

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    chosen = chosen_output(output, check=check)
    loaded = asked.load()
    with located(loaded.path):
        report = overview(loaded.settings, Deadline.after(seconds))
    return show(report, chosen, asked)


def idempotency(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="An Idempotency-Key, or the Redis key of one.")
    ],
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Look at one idempotency key: what Redis has of it, and the row that was made with it.

    Secrets in it are masked. Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.config.load import located
    from payops.domain.deadline import Deadline
    from payops.engine.circuit_keys import one_key

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    chosen = chosen_output(output, check=check)
    loaded = asked.load()
    with located(loaded.path):
        report = one_key(loaded.settings, key, Deadline.after(seconds))
    return show(report, chosen, asked)
