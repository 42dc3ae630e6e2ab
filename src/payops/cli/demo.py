"""`payops demo`: a payment incident on this machine, in one command and without any services."""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import emit, emit_text, ended_in_order, tell
from payops.cli.invocation import invocation, show
from payops.domain.window import Window
from payops.errors import LabError

if TYPE_CHECKING:
    from payops.domain.report import Report

SCENARIOS = ("circuit-stuck-open", "payments-stuck-pending")


def demo(
    ctx: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up to play with.")] = False,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where the lab lives.")
    ] = None,
) -> int:
    """Break a lab in two ways, show what `payops health` says, and clean up.

    Exit status: 0 when the incident was found, 2 when not.
    """
    from payops.cli.lab_options import laboratory_module

    lab = laboratory_module()
    asked = invocation(ctx)
    made = directory is None
    if directory is not None and lab.status(directory):
        # the demo ends what it starts, and this one is somebody's
        raise LabError(
            f"a lab is in {directory} already, and the demo would end it",
            hint="leave --dir out, or give the demo a folder of its own",
        )
    where = directory or Path(tempfile.mkdtemp(prefix="payops-demo-"))
    started = time.monotonic()
    with ended_in_order():
        try:
            _say(
                "A shop on this machine: PostgreSQL, Redis, a Stripe simulator and its application."
            )
            info = lab.up(lab.LabOptions(dir=where), say=tell)
            for scenario in SCENARIOS:
                lab.inject(where, scenario)
            took = f"{time.monotonic() - started:.0f} s to set up"
            _say(
                f"It has taken 500 payments in the last two days ({took}). "
                "Then, not long ago, something broke. The phone rings."
            )
            emit_text(f"\n$ payops --config {info.config} health\n\n")
            report = _examine(info.config)
            output = "table" if asked.colour or _is_terminal() else "plain"
            show(report, output, asked)
            _explain(report, info.config, keep)
        finally:
            if not keep:
                lab.down(where)
                if made:
                    shutil.rmtree(where, ignore_errors=True)
    if not keep:
        _say("The lab is down and its files are gone.")
    return 0 if _found(report) else 2


def _is_terminal() -> bool:
    import sys

    return sys.stdout is not None and sys.stdout.isatty()


def _say(text: str) -> None:
    emit(f"{text}\n")


def _examine(config: str) -> Report:
    from payops.checks import check_ids, without_deep
    from payops.config.load import read
    from payops.domain.deadline import Deadline
    from payops.engine.health import examine

    now = datetime.now(UTC)
    return examine(
        read(Path(config)),
        without_deep(check_ids()),
        window=Window(now - timedelta(hours=1), now),
        deadline=Deadline.after(10),
    )


def _found(report: Report) -> bool:
    """Whether both injected troubles are among the findings."""
    bad = {check.id for check in report.checks if check.status.exit_code in (1, 2)}
    return {"circuit.state", "payments.stuck-pending"} <= bad


def _explain(report: Report, config: str, keep: bool) -> None:
    status = {check.id: check.status.value for check in report.checks}
    emit(
        "\nWhat it means\n"
        f"  stripe.api is {status['stripe.api']}: Stripe itself is well, so waiting helps nobody.\n"
        f"  circuit.state is {status['circuit.state']}: our own breaker opened and never closed"
        " again. It refuses\n    every payment before Stripe is asked (runbook 004, scenario 2).\n"
        f"  payments.stuck-pending is {status['payments.stuck-pending']}: for these, Stripe's"
        " answer was lost. Customers may\n    have been charged for orders that look unpaid"
        " (scenario 4).\n\nWhat one would run next\n"
        "  payops health --only stripe,circuit        is Stripe well, is the breaker still open\n"
        "  payops reconcile --since 24h --save-plan plan.json   whose money is it, what puts it"
        " right\n"
        "  payops apply plan.json --show              the plan, before anything is changed\n"
        "  payops apply plan.json                     change it; payops undo takes it back\n"
        "  payops health --check                      one line for cron or nagios\n"
    )
    if keep:
        emit_text(
            "\nThe lab is still up; with its configuration the commands above can be pasted:\n"
            f"  export PAYOPS_CONFIG={shlex.quote(config)}\n"
            "  payops health\n"
            f"  payops lab heal --dir {shlex.quote(str(Path(config).parent))}\n"
            f"  payops lab down --dir {shlex.quote(str(Path(config).parent))}\n"
        )
    else:
        emit("  payops demo --keep                         leaves the lab up to play with\n\n")
