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
from payops.cli.reporting import reporting

app = typer.Typer(
    help="The way of an event from Stripe to a row.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command()(reporting(webhook_status.status))
app.command()(reporting(webhook_endpoints.endpoints))
app.command()(reporting(webhook_lists.undelivered))
app.command()(reporting(webhook_lists.stuck))
app.command()(reporting(webhook_probe.probe))
app.command()(webhook_verify.verify)
app.command()(webhook_replay.replay)
