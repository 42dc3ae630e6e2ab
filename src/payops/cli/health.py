"""`payops health`: is anything wrong, what, since when, how much money, and what next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from payops.cli.boundary import emit, tell, tell_traceback
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    OutputOption,
    SinceOption,
    chosen_output,
    duration_option,
    invocation,
    show,
    window_option,
)

GlobOption = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Check ids: payments.*, stripe, 'webhooks.b*'. Repeatable."),
]


def health(
    ctx: typer.Context,
    only: GlobOption = None,
    skip: GlobOption = None,
    since: SinceOption = "1h",
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
    list_checks: Annotated[
        bool, typer.Option("--list", help="List the checks with their limits; ask nothing.")
    ] = False,
) -> int:
    """Ask Stripe, Postgres, Redis and the application what is wrong.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.checks import select
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    ends = Deadline.after(duration_option("--deadline", deadline).total_seconds())
    window = window_option(since, datetime.now(UTC))
    chosen = chosen_output(output, check=check)
    ids = select(only or (), skip or ())
    if list_checks:
        emit(_listing(ids))
        return 0
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine.health import examine

    def on_fault(id_: str, trace: str) -> None:
        tell(f"payops: fault of payops in {id_}; the other checks are not touched")
        if asked.verbose:
            tell_traceback(trace)

    with located(loaded.path):
        report = examine(loaded.settings, ids, window=window, deadline=ends, on_fault=on_fault)
    return show(report, chosen, asked)


def _listing(ids: tuple[str, ...]) -> str:
    from payops.checks import load_check

    lines = []
    for id_ in ids:
        check = load_check(id_)
        advisory = " (advisory)" if check.advisory else ""
        lines.append(f"{id_:24}{check.title}{advisory}")
        for name, limit in check.limits.items():
            sides = ", ".join(
                f"{word} {'below' if limit.worse == 'lower' else 'above'} {value:g}"
                for word, value in (("warn", limit.warn), ("crit", limit.crit))
                if value is not None
            )
            lines.append(f"  {name} in {limit.unit}: {sides}  [{limit.source}]")
    return "\n".join(lines) + "\n"
