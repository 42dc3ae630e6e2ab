"""`payops webhooks probe`: what the runbooks do with curl, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import tell
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    Invocation,
    OutputOption,
    chosen_output,
    duration_option,
    invocation,
    show,
)
from payops.errors import ConfigError

if TYPE_CHECKING:
    from payops.config.settings import Settings


def probe(
    ctx: typer.Context,
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="Name or URL of one of webhooks.endpoints, or any URL. All endpoints without it.",
            show_default=False,
        ),
    ] = None,
    signed: Annotated[
        bool,
        typer.Option(
            "--signed",
            help="Also send genuine events of a type that moves nothing, signed with each secret "
            "of the configuration. They may leave rows in the event log.",
        ),
    ] = False,
    deadline: DeadlineOption = "20s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Ask webhook endpoints as Stripe would: DNS, TCP, TLS, redirects, signatures.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    chosen = chosen_output(output, check=check)
    settings = settings_or_none(asked, needed=url is None or signed)

    from payops.engine.webhook_probe import probe_all, targets

    wanted = targets(settings, url)
    report = probe_all(settings, wanted, Deadline.after(seconds), signed=signed)
    return show(report, chosen, asked)


def settings_or_none(asked: Invocation, *, needed: bool) -> Settings:
    """The configuration; an empty one where there is none and none is `needed`. One that is there
    and wrong is told, and not used. Raises ConfigError."""
    from payops.config.settings import Settings

    try:
        return asked.load().settings
    except ConfigError as error:
        if needed or asked.config:
            raise
        if error.file:
            tell(f"payops: the configuration is wrong and not used: {error}")
        return Settings(environment="")
