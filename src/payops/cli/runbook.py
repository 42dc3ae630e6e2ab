"""`payops runbook`: what to do, step by step, with payops doing what it can."""

from __future__ import annotations

import typer

from payops.cli.reporting import reporting
from payops.cli.runbook_check import check
from payops.cli.runbook_list import list_, show
from payops.cli.runbook_new import new
from payops.cli.runbook_run import run

app = typer.Typer(
    help="Runbooks: list, show, run and write them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("list")(list_)
app.command()(show)
app.command()(reporting(run))
app.command()(new)
app.command()(check)
