"""`payops webhooks verify`: why a signature fails."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.invocation import CheckOption, OutputOption, chosen_output, invocation, show
from payops.cli.webhook_probe import settings_or_none
from payops.domain.duration import parse_moment
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.webhooks.secrets import KnownSecret

# Stripe's events are some kilobytes; this is for what was given by mistake.
_MOST_PAYLOAD = 16 * 1024 * 1024
_MOST_HEADER = 64 * 1024
_NAME = "stripe-signature:"


def verify(
    ctx: typer.Context,
    payload: Annotated[
        str,
        typer.Option(
            "--payload",
            metavar="FILE",
            help="The raw body as it was received; - is stdin.",
            show_default=False,
        ),
    ],
    header: Annotated[
        str,
        typer.Option(
            "--header",
            metavar="TEXT",
            help="The header Stripe-Signature, or @FILE that holds it.",
            show_default=False,
        ),
    ],
    secret_from: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="Variable of the environment with the secret that should fit.",
            show_default=False,
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name or URL of one of webhooks.endpoints: its secret should fit.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="When it was received; now when left out.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Tell why a webhook's signature fails: header, secret, body, time or mode. Asks nobody.

    Exit status: 0 valid, 2 not valid, 3 no secret to tell by.
    """
    from payops.domain.report import Report
    from payops.webhooks.verify import verify as verdict_on
    from payops.webhooks.verify_report import result, section

    asked = invocation(ctx)
    chosen = chosen_output(output, check=check)
    now = datetime.now(UTC)
    received = _moment(at, now)
    settings = settings_or_none(asked, needed=secret_from is None)
    expected, others = _secrets(settings, secret_from, endpoint)
    if payload == "-" and header in ("-", "@-"):
        raise UsageError("only one of --payload and --header can be read from stdin")
    verdict = verdict_on(
        _payload(payload),
        _header(header),
        at=received,
        secrets=expected,
        others=others,
        live_key=_live(settings),
    )
    report = Report(
        command="webhooks verify",
        generated_at=now,
        environment=settings.environment,
        checks=(result(verdict),),
        extra={"verdict": section(verdict)},
    )
    return show(report, chosen, asked)


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        return parse_moment(text, now)
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None


def _secrets(
    settings: Settings, variable: str | None, endpoint: str | None
) -> tuple[tuple[KnownSecret, ...], tuple[KnownSecret, ...]]:
    """Those that should fit, and the others that are known. Raises UsageError."""
    from payops.domain.secret import Secret
    from payops.webhooks.secrets import KnownSecret, known_secrets, own_secrets

    known = known_secrets(settings)
    expected: tuple[KnownSecret, ...]
    if variable is not None:
        text = os.environ.get(variable)
        if text is None:
            raise UsageError(
                f"--secret-from: there is no variable {variable!r} in the environment",
                hint="it takes a variable's name, never the secret itself",
            )
        if not text.strip():
            raise UsageError(f"--secret-from: the variable {variable!r} is empty")
        expected = (KnownSecret(variable, Secret(text)),)
    elif endpoint is not None:
        wanted = [each for each in settings.webhooks.endpoints if endpoint in (each.name, each.url)]
        if not wanted:
            names = ", ".join(each.name or each.url for each in settings.webhooks.endpoints)
            raise UsageError(
                f"--endpoint: none of webhooks.endpoints is called {endpoint!r}",
                hint=f"there are: {names}" if names else "none is configured",
            )
        own = own_secrets(settings, wanted[0])
        expected = tuple(each for each in known if each.secret in own)
    else:
        return known, ()
    values = {each.secret for each in expected}
    return expected, tuple(each for each in known if each.secret not in values)


def _payload(name: str) -> bytes:
    return _read(name, "--payload", _MOST_PAYLOAD)


def _header(given: str) -> str:
    """The header's text: its name before it, quotes and blanks around it come from copying."""
    text = given
    # A header has a `=`; a file's name that was given without the `@` seldom has.
    if given == "-" or given.startswith("@") or ("=" not in given and _is_file(given)):
        raw = _read(given.removeprefix("@"), "--header", _MOST_HEADER)
        text = raw.decode("utf-8", "surrogateescape")
    text = text.strip().strip("\"'").strip()
    if text[: len(_NAME)].lower() == _NAME:
        text = text[len(_NAME) :].strip().strip("\"'")
    return text


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def _read(name: str, option: str, most: int) -> bytes:
    try:
        if name == "-":
            found = sys.stdin.buffer.read(most + 1)
        else:
            with Path(name).open("rb") as file:
                found = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no name of a file"
        raise UsageError(f"{option}: {name} cannot be read: {reason}") from error
    if len(found) > most:
        raise UsageError(
            f"{option}: {name} is longer than {most // 1024:,} KiB: no event of Stripe's"
        )
    return found


def _live(settings: Settings) -> bool | None:
    """The mode of the configured key; None when there is none, or one of neither mode."""
    key = settings.stripe.secret_key.reveal() if settings.stripe else ""
    return True if "_live_" in key else False if "_test_" in key else None
