"""`payops keys`: the group of its commands; each stands in a file of its own."""

from __future__ import annotations

import typer

from payops.cli import keys_check, keys_rotated, keys_scan
from payops.cli.reporting import reporting

app = typer.Typer(
    help="API keys and secrets: do they fit, do they work, have they leaked.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(reporting(keys_check.check))
app.command()(keys_rotated.rotated)
app.command()(reporting(keys_scan.scan))
