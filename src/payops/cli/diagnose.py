"""`payops diagnose`: what is it, how bad is it, and what to do now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import tell, tell_traceback
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    Invocation,
    OutputOption,
    SinceOption,
    chosen_output,
    duration_option,
    invocation,
    pasteable,
    show,
    window_option,
)
from payops.cli.runbook_shelf import shelf_told
from payops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from payops.config.settings import Settings
    from payops.domain.runbook import Runbook
    from payops.engine.diagnosis import Seen
    from payops.engine.runner import Fault


def diagnose(
    ctx: typer.Context,
    since: SinceOption = "1h",
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep all that was seen in an archive, secrets masked: .tar.gz."
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Diagnose from such an archive; ask nobody."),
    ] = None,
) -> int:
    """Look once at everything: what it is, whom it hurts, how sure that is, and what to do now.

    Exit status, of all that was looked at: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    if replay is not None:
        _refuse_beside_a_replay(ctx, asked, bundle)
        return _replayed(replay, chosen, asked)
    if bundle is not None and not bundle.resolve().parent.is_dir():
        raise UsageError(f"--bundle: there is no folder {bundle.resolve().parent}")
    loaded = asked.load()
    pages = shelf_told().runbooks

    from payops.config.load import located
    from payops.engine.diagnosis import examined, report_of

    ends = Deadline.after(seconds)
    with located(loaded.path):
        seen = examined(loaded.settings, window, ends, pages, on_fault(asked))
    if bundle is not None:
        seen = _kept(bundle, seen, loaded.settings, pages, asked)
    return show(report_of(seen, pages), chosen, asked)


def on_fault(asked: Invocation) -> Fault:
    """How a fault of payops in one question is told."""

    def told(id_: str, trace: str) -> None:
        tell(f"payops: fault of payops in {id_}; the other questions are not touched")
        if asked.verbose:
            tell_traceback(trace)

    return told


def _kept(
    path: Path, seen: Seen, settings: Settings, pages: Sequence[Runbook], asked: Invocation
) -> Seen:
    """Write the bundle; what was seen as it stands there, so that what is told now is what a replay
    will tell."""
    from payops.engine.bundle import write_bundle
    from payops.engine.bundle_kept import as_plain, from_plain
    from payops.engine.diagnosis import report_of
    from payops.formats import render

    seen = from_plain(as_plain(replace(seen, config=asked.config or "")))
    report = pasteable(report_of(seen, pages), asked)
    now = seen.observation.as_of
    texts = {
        name: render(report, output, colour=False, width=80, now=now, ascii_only=False)
        for name, output in (("diagnosis.json", "json"), ("diagnosis.md", "markdown"))
    }
    written = write_bundle(path, seen, settings, pages, texts)
    tell(f"payops: {written}: read it before you send it; replay it with --replay")
    return seen


def _replayed(path: Path, chosen: str, asked: Invocation) -> int:
    from payops.engine.bundle import digest_of
    from payops.engine.bundle_read import read_bundle
    from payops.engine.diagnosis import report_of

    found = read_bundle(path)
    pages = shelf_told().runbooks
    other = "" if digest_of(pages) == found.runbooks else "; the runbooks are others since then"
    tell(f"payops: replayed from {path}, made {found.made_at} by payops {found.payops}{other}")
    if (config := found.seen.config) and config != asked.config:
        # Told, never put into commands: a configuration names commands that payops runs.
        tell(f"payops: it was made with --config {config}; with --config the commands below say so")
    try:
        return show(report_of(found.seen, pages), chosen, asked)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Whatever fails now fails by what the file holds: each value alone was looked at before.
        raise UsageError(
            f"--replay: {path}: what it holds does not fit together ({type(error).__name__})",
            hint="it wants a file that `payops diagnose --bundle FILE` wrote",
        ) from error


def _refuse_beside_a_replay(ctx: typer.Context, asked: Invocation, bundle: Path | None) -> None:
    """Raises UsageError for what would take the past for the present."""
    for name in ("since", "deadline"):
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--{name} is of a look, and --replay does not look", hint="drop one")
    if bundle is not None:
        raise UsageError("--replay reads a bundle, and --bundle writes one", hint="drop one")
    afterwards = asked.afterwards
    if afterwards is not None and (afterwards.state is not None or afterwards.notify_urls):
        raise UsageError(
            "--replay tells of the past: there is nothing new to remember or to tell anybody",
            hint="drop --state and --notify",
        )
