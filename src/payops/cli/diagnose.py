"""`payops diagnose`: what is it, how bad is it, and what to do now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from payops.cli.boundary import tell, tell_traceback
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    Invocation,
    OutputOption,
    SinceOption,
    chosen_output,
    duration_option,
    invocation,
    show,
    window_option,
)
from payops.cli.runbook_shelf import shelf_told

if TYPE_CHECKING:
    from payops.engine.runner import Fault


def diagnose(
    ctx: typer.Context,
    since: SinceOption = "1h",
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Look once at everything: what it is, whom it hurts, how sure that is, and what to do now.

    Exit status, of all that was looked at: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    loaded = asked.load()
    pages = shelf_told().runbooks

    from payops.config.load import located
    from payops.engine.diagnosis import examined, report_of

    ends = Deadline.after(seconds)
    with located(loaded.path):
        seen = examined(loaded.settings, window, ends, pages, on_fault(asked))
    return show(report_of(seen, pages), chosen, asked)


def on_fault(asked: Invocation) -> Fault:
    """How a fault of payops in one question is told."""

    def told(id_: str, trace: str) -> None:
        tell(f"payops: fault of payops in {id_}; the other questions are not touched")
        if asked.verbose:
            tell_traceback(trace)

    return told
