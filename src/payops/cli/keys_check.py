"""`payops keys check`: do the keys fit, do they work, are they where they belong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.keys.judge_webhook import Sample

_MOST_BODY = 1024 * 1024  # an event of Stripe's is far smaller


def check(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="[NAME=]FILE",
            help="A .env file, Kubernetes Secret or compose file; NAME is its environment, else "
            "the configuration's. Repeatable.",
        ),
    ] = None,
    payload: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The raw body of an event, to see which secret signed it."
        ),
    ] = None,
    header: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Its header Stripe-Signature, or @FILE that holds it."),
    ] = None,
    deadline: DeadlineOption = "20s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Hold every key against its form, its place, its account and Stripe.

    Keys are shown by prefix, last 4 and a short hash; Stripe is asked with GET alone. Exit status:
    0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    sample = _sample(payload, header)
    settings = asked.load().settings
    ends = Deadline.after(seconds)

    from payops.engine.keys import KeysOptions, check_keys

    options = KeysOptions(tuple(files or ()), os.environ, sample)
    return show(check_keys(settings, options, ends), chosen, asked)


def _sample(payload: Path | None, header: str | None) -> Sample | None:
    if payload is None and header is None:
        return None
    if payload is None or header is None:
        raise UsageError("--payload and --header belong together")
    from payops.keys.judge_webhook import Sample

    body = _read("--payload", payload)
    text = header
    if header.startswith("@") or "=" not in header:  # as `webhooks verify` takes it
        text = _read("--header", Path(header.removeprefix("@"))).decode("utf-8", "replace")
    text = text.strip().removeprefix("Stripe-Signature:").strip()
    return Sample(f"the event in {payload.name}", body, text, given=True)


def _read(option: str, path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_MOST_BODY + 1)
    except OSError as error:
        raise UsageError(f"{option}: {path} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BODY:
        raise UsageError(f"{option}: {path} is larger than an event of Stripe's")
    return content
