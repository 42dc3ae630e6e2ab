"""`payops circuit`: what the breakers in Redis believe, and what to make of it."""

from __future__ import annotations

import typer

from payops.cli.circuit_change import reset, trip
from payops.cli.circuit_keys import idempotency, keys
from payops.cli.circuit_status import status
from payops.cli.circuit_watch import watch
from payops.cli.reporting import reporting

app = typer.Typer(
    help="Circuit breakers in Redis: their state, held against what payments do.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(reporting(status))
app.command()(watch)
app.command()(reset)
app.command()(trip)
app.command()(reporting(keys))
app.command()(reporting(idempotency))
