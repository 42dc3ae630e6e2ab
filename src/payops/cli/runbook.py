"""`payops runbook`: what to do, step by step, with payops doing what it can."""

from __future__ import annotations

import typer

from payops.cli.runbook_check import check

app = typer.Typer(
    help="Runbooks: list, show, run and write them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(check)
