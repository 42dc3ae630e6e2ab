"""`payops webhooks`: the group of its commands; each stands in a file of its own."""

from __future__ import annotations

import typer

from payops.cli import (
    webhook_endpoints,
    webhook_lists,
    webhook_probe,
    webhook_replay,
    webhook_status,
    webhook_verify,
)

app = typer.Typer(
    help="The way of an event from Stripe to a row.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command()(webhook_status.status)
app.command()(webhook_endpoints.endpoints)
app.command()(webhook_lists.undelivered)
app.command()(webhook_lists.stuck)
app.command()(webhook_probe.probe)
app.command()(webhook_verify.verify)
app.command()(webhook_replay.replay)
