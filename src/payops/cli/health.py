"""`payops health`: is anything wrong, what, since when, how much money, and what next."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import emit, tell, tell_traceback
from payops.cli.health_watch import refuse_what_no_watch_does
from payops.cli.health_watch import watch as watch_health
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    Invocation,
    OutputOption,
    SinceOption,
    chosen_output,
    duration_option,
    invocation,
    show,
    window_option,
)
from payops.domain.report import SCHEMA_VERSION
from payops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from payops.checks.contract import NamedCheck
    from payops.config.load import Loaded
    from payops.domain.report import Report
    from payops.domain.window import Window
    from payops.engine.earlier import Readings

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB", help="These alone: payments.*, stripe, 'webhooks.b*'. Repeatable."
    ),
]
SkipOption = Annotated[
    list[str] | None, typer.Option(metavar="GLOB", help="All but these. Repeatable.")
]


def health(
    ctx: typer.Context,
    only: OnlyOption = None,
    skip: SkipOption = None,
    since: SinceOption = "1h",
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Ask the slow checks too; see --list.")
    ] = False,
    watch: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Ask again and again, live on a terminal, until ^C: 30s, 1m.",
            show_default=False,
        ),
    ] = None,
    list_checks: Annotated[
        bool, typer.Option("--list", help="List the checks with their limits; ask nothing.")
    ] = False,
) -> int:
    """Ask Stripe, Postgres, Redis and the application what is wrong.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.checks import without_deep
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    seconds = duration_option("--deadline", deadline).total_seconds()
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    every = duration_option("--watch", watch).total_seconds() if watch else 0.0
    if watch is not None:
        refuse_what_no_watch_does(chosen, every, check=check)
    if list_checks:
        return _list(only or (), skip or (), chosen, asked)
    loaded, ids = _chosen(only or (), skip or (), asked)
    if not deep:
        ids = without_deep(ids, only or ())

    from payops.config.load import located
    from payops.engine.earlier import readings
    from payops.engine.health import examine

    earlier = _earlier(asked, loaded.settings.environment)

    def on_fault(id_: str, trace: str) -> None:
        tell(f"payops: fault of payops in {id_}; the other checks are not touched")
        if asked.verbose:
            tell_traceback(trace)

    def run(window: Window) -> Report:
        nonlocal earlier
        # Counted from here: a secret_command may have waited for a person's touch, and what was
        # never asked must not be told as not answering.
        ends = Deadline.after(seconds)
        with located(loaded.path):
            report = examine(
                loaded.settings,
                ids,
                window=window,
                deadline=ends,
                on_fault=on_fault,
                earlier=earlier,
            )
        earlier = readings(earlier, report.checks)  # for the next round of a watch
        return report

    if watch is None:
        return show(run(window), chosen, asked)
    return watch_health(lambda: run(window_option(since, datetime.now(UTC))), every, chosen, asked)


def _earlier(asked: Invocation, environment: str) -> Readings:
    """What the run before measured, where `--state` remembers it."""
    if asked.afterwards is None or asked.afterwards.state is None:
        return {}
    from payops.engine.memory import Memory

    return Memory(asked.afterwards.state).readings("health", environment)


def _chosen(
    only: Sequence[str], skip: Sequence[str], asked: Invocation
) -> tuple[Loaded, tuple[str, ...]]:
    """The configuration, and the ids of the checks that are asked for, its own among them.

    A misspelling is told first, also where the configuration cannot be used: whether it is one of
    `own.…` is known from the configuration alone.
    """
    from payops.checks import ids_in, select

    try:
        loaded = asked.load()
    except ConfigError:
        select(_not_of_own(only), _not_of_own(skip))
        raise
    return loaded, select(only, skip, ids_in(loaded.settings))


def _not_of_own(globs: Sequence[str]) -> list[str]:
    each = [part.strip() for glob in globs for part in glob.split(",")]
    return [glob for glob in each if glob.partition(".")[0] != "own"]


def _list(only: Sequence[str], skip: Sequence[str], output: str, asked: Invocation) -> int:
    """Write what is checked, under the limits in force; those of payops where there is no usable
    configuration, since this list is what one looks at to write it."""
    from payops.checks import select
    from payops.config.load import located
    from payops.config.settings import Settings
    from payops.engine.thresholds import checks_in_force

    try:
        loaded, ids = _chosen(only, skip, asked)
        with located(loaded.path):
            checks = checks_in_force(ids, loaded.settings)
    except ConfigError as error:
        if error.file:  # there is one, and it says something else
            tell(f"payops: these are payops' own limits, as the configuration is wrong: {error}")
        checks = checks_in_force(select(only, skip), Settings())
    if output == "json":
        emit(json.dumps(_as_document(checks), indent=2) + "\n")
    else:
        emit(_listing(checks))
    return 0


def _as_document(checks: tuple[NamedCheck, ...]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "health --list",
        "checks": [
            {
                "id": check.id,
                "title": check.check.title,
                "source": check.check.source,
                "advisory": check.check.advisory,
                "deep": check.check.deep,
                "rows": check.check.rows,
                "limits": {
                    name: {
                        "warn": limit.warn,
                        "crit": limit.crit,
                        "unit": limit.unit,
                        "worse": limit.worse,
                        "source": limit.source,
                    }
                    for name, limit in check.limits.items()
                },
            }
            for check in checks
        ],
    }


def _listing(checks: tuple[NamedCheck, ...]) -> str:
    lines = []
    for named in checks:
        kinds = [word for word in ("advisory", "deep") if getattr(named.check, word)]
        kind = f" ({', '.join(kinds)})" if kinds else ""
        lines.append(f"{named.id:28}{named.check.title}{kind}")
        for name, limit in named.limits.items():
            sides = ", ".join(
                f"{word} {'below' if limit.worse == 'lower' else 'above'} {value:g}"
                for word, value in (("warn", limit.warn), ("crit", limit.crit))
                if value is not None
            )
            lines.append(f"  {name} in {limit.unit}: {sides or 'off'}  [{limit.source}]")
    return "\n".join(lines) + "\n"
