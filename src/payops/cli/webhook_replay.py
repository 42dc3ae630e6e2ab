"""`payops webhooks replay`: Stripe's events sent again, as a plan."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.apply import (
    ForceOption,
    Options,
    PlanOutput,
    RateOption,
    YesOption,
    carry_out,
    database_failures,
    output_of,
    rate_option,
    show_plan,
)
from payops.cli.boundary import emit, tell
from payops.cli.invocation import (
    duration_option,
    invocation,
    window_option,
)
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.domain.plan import Plan
    from payops.domain.plan_facts import Refusal
    from payops.engine.replay import Wanted

# Stripe keeps trying for up to 3 days in live mode: what it gave up on since lies within them.
_SINCE = "3d"


def replay(
    ctx: typer.Context,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="What Stripe could not deliver.")
    ] = False,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="What arrived, and was not handled to its end.")
    ] = False,
    event: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="This event. Repeatable.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Start of the window: 24h, 7d, an ISO time; alone: all of it that the ledger "
            "does not show. 3d with --undelivered and --stuck.",
            show_default=False,
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="GLOB", help="Only events of such a type. Repeatable."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Where to, of webhooks.endpoints; the only one if not."),
    ] = None,
    rate: RateOption = None,
    via: Annotated[
        str | None,
        typer.Option(
            metavar="stripe", help="Let Stripe send: its own retry call, which is unsupported."
        ),
    ] = None,
    force_order: Annotated[
        bool,
        typer.Option("--force-order", help="Also where the ledger shows a later state already."),
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option("--save-plan", metavar="FILE", help="Write the plan there; send nothing."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show the plan; send nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many events.")
    ] = None,
    force: ForceOption = False,
    yes: YesOption = False,
    deadline: Annotated[
        str, typer.Option(metavar="DURATION", help="Making the plan takes no longer than this.")
    ] = "2m",
    output: PlanOutput = None,
) -> int:
    """Send Stripe's own events to the endpoint again, freshly signed, the oldest first.

    Left out is what the ledger shows already. Nothing is sent before somebody says yes. Exit
    status: 0 done or nothing to do, 1 some refused or without effect in the ledger, 2 failed.
    """
    from payops.domain.deadline import Deadline
    from payops.engine.applier import Choice
    from payops.engine.planning import save_plan
    from payops.engine.replay import plan_replay
    from payops.sources import Sources
    from payops.webhooks.replay import NOT_NEEDED

    chosen = output_of(output)
    if via not in (None, "stripe"):
        raise UsageError(f"--via: {via!r} is not known", hint="--via stripe, or leave it out")
    now = datetime.now(UTC)
    wanted = _wanted(undelivered, stuck, event, since, types, now)
    per_second = rate_option(rate)
    ends = Deadline.after(duration_option("--deadline", deadline).total_seconds())
    asked = invocation(ctx)
    settings = asked.load().settings
    command = shlex.join(["payops", *_words(ctx)])
    sources = Sources(settings, ends)
    try:
        with database_failures():
            planned = plan_replay(
                settings,
                sources,
                wanted,
                endpoint=endpoint,
                by_stripe=via is not None,
                force_order=force_order,
                command=command,
                now=now,
            )
    finally:
        sources.close()
    plan = planned.plan
    if save is not None:
        save_plan(plan, save)
    if show or save is not None:
        _show(plan, chosen, planned.refused)
        if save is not None:
            tell(f"payops: the plan is in {save}; next: payops apply {shlex.quote(str(save))}")
        return 0
    _say_left_out(planned.refused)
    if undelivered and not plan.changes:
        tell("payops: what happened while an endpoint was disabled is never undelivered: --since")
    elif not plan.changes and not planned.refused:
        tell("payops: no such event of that time is one that the ledger lacks, or left unhandled")
    options = Options(Choice((), limit, dry_run, force), yes, chosen, command, per_second)
    code = carry_out("webhooks replay", plan, asked, options)
    # Of a window what is left out is of no concern; what was asked for by name is.
    unsent = bool(event) and any(each.why not in NOT_NEEDED for each in planned.refused)
    return code or int(unsent)


def _show(plan: Plan, output: str, refused: tuple[Refusal, ...]) -> None:
    """The plan, and what it leaves out."""
    if output == "json":
        from payops.formats.plans.data import plan_as_json

        emit(plan_as_json("webhooks replay", plan, refused))
        return
    show_plan("webhooks replay", plan, output)
    _say_left_out(refused)


def _say_left_out(refused: tuple[Refusal, ...]) -> None:
    from payops.formats.plans.text import refusals

    for line in refusals(refused).splitlines():
        tell(line)


def _wanted(
    undelivered: bool,
    stuck: bool,
    events: list[str] | None,
    since: str | None,
    types: list[str] | None,
    now: datetime,
) -> Wanted:
    """The selection. Raises UsageError when it is none, or several."""
    from payops.engine.replay import Wanted, asked_ids

    kinds = sum((undelivered, stuck, bool(events)))
    if kinds > 1:
        raise UsageError("--undelivered, --stuck and --event exclude each other")
    if not kinds and since is None:
        raise UsageError("which events?", hint="--undelivered, --stuck, --event ID or --since TIME")
    if events and since is not None:
        raise UsageError("--event names its events: --since is not for it")
    return Wanted(
        events=asked_ids(events or ()),
        window=None if events else window_option(since or _SINCE, now),
        undelivered=undelivered,
        stuck=stuck,
        types=tuple(types or ()),
    )


def _words(ctx: typer.Context) -> list[str]:
    """What was typed of the selection, for the plan: a line that can be typed again."""
    given = ctx.params
    words = ["webhooks", "replay"]
    flags = {"undelivered": "--undelivered", "stuck": "--stuck", "force_order": "--force-order"}
    words += [flag for name, flag in flags.items() if given.get(name)]
    several = {"event": "--event", "types": "--type"}
    words += [f"{flag}={each}" for name, flag in several.items() for each in given.get(name) or ()]
    single = {"since": "--since", "endpoint": "--endpoint", "via": "--via"}
    words += [f"{flag}={given[name]}" for name, flag in single.items() if given.get(name)]
    return words
