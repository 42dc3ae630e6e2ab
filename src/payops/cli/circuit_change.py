"""`payops circuit reset` and `trip`: a breaker closed or opened by hand, as a plan."""

from __future__ import annotations

import math
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.apply import (
    DryOption,
    Options,
    PlanOutput,
    YesOption,
    carry_out,
    database_failures,
    output_of,
)
from payops.cli.boundary import emit_text, tell
from payops.cli.invocation import Invocation, duration_option, invocation

if TYPE_CHECKING:
    from datetime import timedelta

    from payops.config.settings import Settings
    from payops.domain.plan import Plan

OPENED_AGAIN = 1
_ASKING_S = 15.0

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]", help="The breaker; without it, the only one.", show_default=False
    ),
]
SaveOption = Annotated[
    Path | None,
    typer.Option("--save-plan", metavar="FILE", help="Write the plan; change nothing."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Against the evidence; the caps are lifted too.")
]
ObserveOption = Annotated[
    str,
    typer.Option(
        metavar="DURATION", help="Watch for so long what payments do then; 0s: do not watch."
    ),
]


def reset(
    ctx: typer.Context,
    name: NameArgument = "",
    force: ForceOption = False,
    observe: ObserveOption = "60s",
    save_plan: SaveOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    output: PlanOutput = None,
) -> int:
    """Close a breaker: by a plan, if what it guards answers, and look what happens then.

    Refused while Stripe fails, without --force. Exit status: 0 done, 1 refused or opened again, 2
    failed, 3 usage or configuration.
    """
    again = f"payops circuit reset {shlex.quote(name)}".strip()
    made = _Made(ctx, name, None, force, save_plan, dry_run, yes, output, again)
    return made.carried_out(observe)


def trip(
    ctx: typer.Context,
    name: NameArgument = "",
    seconds: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long it stays open.")
    ] = "10m",
    force: ForceOption = False,
    observe: ObserveOption = "0s",
    save_plan: SaveOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    output: PlanOutput = None,
) -> int:
    """Force a breaker open for a while, so that payments fail at once and are not half made.

    Refused while Stripe answers, without --force. Exit status: 0 done, 1 refused, 2 failed, 3 usage
    or configuration.
    """
    from payops.errors import UsageError

    span = duration_option("--for", seconds)
    if span.total_seconds() < 1:  # Redis counts whole seconds, and none would be for ever
        raise UsageError(f"--for: {seconds} is shorter than a second", hint="--for 10m")
    again = f"payops circuit trip {shlex.quote(name)}".strip() + f" --for {shlex.quote(seconds)}"
    made = _Made(ctx, name, span, force, save_plan, dry_run, yes, output, again)
    return made.carried_out(observe)


class _Made:
    """One plan, on its way from the evidence to its end."""

    def __init__(
        self,
        ctx: typer.Context,
        name: str,
        span: timedelta | None,
        force: bool,
        save_plan: Path | None,
        dry_run: bool,
        yes: bool,
        output: str | None,
        again: str,
    ) -> None:
        self._asked: Invocation = invocation(ctx)
        self._name, self._span, self._force = name, span, force
        self._save, self._dry, self._yes = save_plan, dry_run, yes
        self._output, self._again = output_of(output), again

    def carried_out(self, observe: str) -> int:
        """Plan, show, ask, set, watch; the exit status."""
        from payops.config.load import located
        from payops.domain.duration import parse_duration
        from payops.engine.applier import Choice
        from payops.errors import UsageError

        try:
            watched = parse_duration(observe).total_seconds()
        except ValueError as error:
            raise UsageError(f"--observe: {error}") from None
        loaded = self._asked.load()
        settings = loaded.settings
        with located(loaded.path), database_failures():
            plan = self._plan(settings)
        if not plan.changes:
            emit_text(f"nothing to do: breaker {self._name or 'as asked'} is so already\n")
            return 0
        if self._save is not None:
            return self._saved(plan)
        choice = Choice(dry_run=self._dry, forced=self._force)
        options = Options(choice, self._yes, self._output, self._again)
        began = datetime.now(UTC)
        code = carry_out("circuit", plan, self._asked, options)
        if code != 0 or self._dry or watched <= 0:
            return code
        return self._observed(settings, plan.changes[0].table, began, watched)

    def _plan(self, settings: Settings) -> Plan:
        from payops.domain.deadline import Deadline
        from payops.engine.circuit_plan import Wanted, plan_breaker
        from payops.errors import NotConfiguredError
        from payops.sources import Sources
        from payops.sources.redis_writer import RedisWriter

        if settings.redis is None:
            raise NotConfiguredError("redis is not configured", hint="add redis.url")
        deadline = Deadline.after(_ASKING_S)
        sources, writer = Sources(settings, deadline), RedisWriter(settings.redis, deadline)
        seconds = math.ceil(self._span.total_seconds()) if self._span else None
        wanted = Wanted(self._name, self._again, seconds, self._force)
        try:
            return plan_breaker(settings, sources, writer, wanted, datetime.now(UTC))
        finally:
            writer.close()
            sources.close()

    def _saved(self, plan: Plan) -> int:
        from payops.engine.planning import save_plan

        assert self._save is not None  # noqa: S101  asked for
        save_plan(plan, self._save)
        tell(f"payops: the plan is in {self._save}; see it: payops apply {self._save} --show")
        return 0

    def _observed(self, settings: Settings, name: str, began: datetime, seconds: float) -> int:
        from payops.engine.circuit_observe import observe

        tell(f"payops: watching for {seconds:.0f} s what payments do now; ^C ends the watch alone")
        seen = observe(settings, name, began, seconds)
        emit_text(seen.sentence + "\n")
        return OPENED_AGAIN if seen.opened_again else 0
