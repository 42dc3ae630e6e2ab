"""What every reporting command can do beside its report: remember, ping, tell, write to a file.

`reporting` puts the options on a command where it is registered, and does what they ask around it;
the commands themselves know nothing of them. Nothing here changes a run's result.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payops.cli.boundary import INTERRUPTED, OWN_FAULT, tell
from payops.cli.invocation import invocation
from payops.errors import PayopsError, UsageError

if TYPE_CHECKING:
    from payops.domain.report import Report
    from payops.engine.heartbeat import Heartbeat
    from payops.engine.memory import Compared

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        help="Remember this run there: what is new, persists or is resolved since the last.",
    ),
]
HeartbeatOption = Annotated[
    str | None,
    typer.Option(
        "--heartbeat",
        metavar="URL",
        envvar="PAYOPS_HEARTBEAT",
        help="Ping URL/start, then URL or URL/fail, as healthchecks.io wants it.",
    ),
]
NotifyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="URL",
        envvar="PAYOPS_NOTIFY",
        help="Send one message when something changed (apprise). Needs --state. Repeatable.",
    ),
]
WriteOption = Annotated[
    Path | None,
    typer.Option(
        "--write",
        metavar="FILE",
        help="Write the report there, whole or not at all; the format by -o or by .prom, .xml, …",
    ),
]
_OPTIONS: dict[str, Any] = {
    "state": StateOption,
    "heartbeat": HeartbeatOption,
    "notify": NotifyOption,
    "write": WriteOption,
}
_BY_SUFFIX = {
    ".prom": "prometheus",
    ".xml": "junit",
    ".json": "json",
    ".md": "markdown",
    ".csv": "csv",
    ".txt": "plain",
}
# node_exporter runs as another user, and metrics hold no text from outside but ids of checks; a
# report for people says whose payment it is.
_MODES = {"prometheus": 0o644}
_OWNERS_MODE = 0o600
_NOTIFY_S = 15.0


@dataclass
class Afterwards:
    """What one run does beside its report. `whole`: the command was asked for all that it tells.
    `said` is its summary, once there is one."""

    state: Path | None
    notify_urls: tuple[str, ...]
    write: Path | None
    output: str
    check: bool
    whole: bool
    said: str = ""
    _compared: Compared | None = field(default=None, init=False)
    _found: Report | None = field(default=None, init=False)

    def remembered(self, report: Report) -> Report:
        """The report with what changed since the run before, as a table at its end."""
        from payops.domain.change import changes_table
        from payops.engine.memory import Memory, NotRememberedError

        self._found = report
        if self.state is None:
            return report
        try:
            self._compared = Memory(self.state).compare(
                report, telling=bool(self.notify_urls), whole=self.whole
            )
        except NotRememberedError as error:
            tell(f"payops: this run is not remembered: {error}; {error.hint}")
            return report
        if self._compared.note:
            tell(f"payops: {self._compared.note}")
        table = changes_table(self._compared.changes)
        return replace(report, tables=(*report.tables, table))

    def put(self, text: str) -> None:
        """Write the text to `--write`'s file. Raises PayopsError."""
        from payops.engine.whole_file import write_whole

        assert self.write is not None  # noqa: S101  asked before
        try:
            write_whole(self.write, text, _MODES.get(self.output, _OWNERS_MODE))
        except OSError as error:
            raise PayopsError(
                f"--write: {self.write}: {error.strerror or error}",
                hint="nothing of it was written; what was there before still is",
            ) from error

    def notify(self, report: Report) -> None:
        """Tell people what changed, once, and remember that they were told."""
        self.said = _summary(report)
        if not self.notify_urls:
            return
        from payops.domain.change import compare, untold
        from payops.domain.status import Status
        from payops.engine.memory import Compared, Memory, NotRememberedError
        from payops.formats.message import message
        from payops.sources import notifier

        if notifier.missing():
            tell(f"payops: --notify: apprise is not installed: {notifier.INSTALL}")
        compared = self._compared
        if compared is None:  # rather too many messages than none
            known, changes = compare({}, report.checks, report.generated_at)
            compared = Compared(changes, untold(known, report.checks, report.generated_at))
        if not compared.to_tell:
            return
        title, body = message(report, compared.changes, compared.to_tell)
        failed = notifier.send(
            self.notify_urls,
            title,
            body,
            bad=report.status not in (Status.OK, Status.SKIP),
            seconds=_NOTIFY_S,
        )
        for why in failed:
            tell(f"payops: --notify: {why}")
        if self._compared is None or self.state is None or self._found is None:
            return
        try:
            if len(failed) < len(self.notify_urls):  # somebody knows
                Memory(self.state).told(self._found, compared)
            else:
                Memory(self.state).not_told(self._found)
        except NotRememberedError as error:
            tell(f"payops: that people were told is not remembered: {error}")


def reporting(command: Callable[..., int]) -> Callable[..., int]:
    """`command` with the options of this module behind its own."""
    signature = inspect.signature(command, eval_str=True)
    context = next(
        name for name, one in signature.parameters.items() if one.annotation is typer.Context
    )

    @wraps(command)
    def run(**given: Any) -> int:
        options = {name: given.pop(name) for name in _OPTIONS}
        ctx: typer.Context = given[context]
        # `reconcile payouts`: asked there. `health --list` is no run.
        if ctx.invoked_subcommand is not None or given.get("list_checks"):
            return command(**given)
        _refuse_beside_a_watch(options, given)
        afterwards = _afterwards(options, given)
        if afterwards.write is not None:
            given["output"] = afterwards.output
        ctx.obj = replace(invocation(ctx), afterwards=afterwards)
        pulse = _heartbeat(options["heartbeat"])
        if pulse is None:
            return command(**given)
        return _with(pulse, lambda: command(**given), afterwards)

    parameters = [
        *signature.parameters.values(),
        *(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
            )
            for name, annotation in _OPTIONS.items()
        ),
    ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
    return run


def _with(pulse: Heartbeat, command: Callable[[], int], afterwards: Afterwards) -> int:
    pulse.start()
    try:
        code = command()
    except PayopsError as error:
        pulse.finish(OWN_FAULT, f"{error}; {error.hint}" if error.hint else str(error))
        raise
    except Exception as error:
        pulse.finish(OWN_FAULT, f"fault of payops: {type(error).__name__}: {error}")
        raise
    if code != INTERRUPTED:
        pulse.finish(code, afterwards.said)
    return code


def _heartbeat(url: str | None) -> Heartbeat | None:
    if not url:
        return None
    from payops.engine.heartbeat import Heartbeat

    return Heartbeat(url, tell)


def _afterwards(options: dict[str, Any], given: dict[str, Any]) -> Afterwards:
    """What the options ask for. Raises UsageError for what cannot be, before anything is asked."""
    urls = _hidden(options["notify"] or ())
    if urls and options["state"] is None:
        raise UsageError(
            "--notify tells what changed, which needs a memory", hint="add --state FILE"
        )
    write = options["write"]
    output = "" if write is None else _format_of(write, given.get("output"))
    if write is not None and not write.resolve().parent.is_dir():
        raise UsageError(f"--write: there is no folder {write.resolve().parent}")
    # health names each check in every run, and may be asked for some of them.
    whole = "deep" not in given and not given.get("only")
    return Afterwards(options["state"], urls, write, output, bool(given.get("check")), whole)


def _refuse_beside_a_watch(options: dict[str, Any], given: dict[str, Any]) -> None:
    used = [f"--{name}" for name, value in options.items() if value]
    if used and given.get("watch") is not None:
        raise UsageError(
            f"--watch is for a person, {' and '.join(used)} for cron", hint="drop one of them"
        )


def _hidden(urls: Sequence[str]) -> tuple[str, ...]:
    from payops.domain.secret import remember_address

    for url in urls:
        remember_address(url)
    return tuple(dict.fromkeys(urls))


def _format_of(path: Path, output: str | None) -> str:
    if output is not None:
        from payops.formats import known_output

        return known_output(output)
    suffix = path.suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise UsageError(
            f"--write: which format {path.name!r} is to have is not clear",
            hint=f"add -o, or end it with {', '.join(_BY_SUFFIX)}",
        )
    return _BY_SUFFIX[suffix]


def _summary(report: Report) -> str:
    """What the run found, for whoever is woken by its heartbeat: check mode's lines without the
    numbers."""
    from datetime import UTC, datetime

    from payops.formats import render

    text = render(report, "nagios", colour=False, width=80, now=datetime.now(UTC), ascii_only=False)
    return "\n".join(line.partition(" | ")[0] for line in text.split("\n")).rstrip()
