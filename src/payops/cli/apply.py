"""`payops apply`: the only way in which payops changes anything."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import emit, tell
from payops.cli.invocation import Invocation, invocation
from payops.errors import FailedError, NotConfiguredError, RefusedError, SourceError, UsageError

if TYPE_CHECKING:
    from types import FrameType

    from payops.config.settings import Settings
    from payops.domain.plan import Change, Plan
    from payops.domain.plan_outcome import Applied, Outcome
    from payops.engine.applier import Choice

PlanOutput = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT",
        help="table, plain, markdown or json. A table on a terminal, plain in a pipe.",
        show_default=False,
    ),
]
YesOption = Annotated[
    bool,
    typer.Option(
        "--yes", "-y", help="Do not ask. In production only with --environment production."
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Lift the caps, and nothing else.")]
DryOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen; everything is rolled back.")
]
DigestOption = Annotated[
    str | None,
    typer.Option(
        "--digest", metavar="DIGEST", help="Only the plan of this digest: the one you reviewed."
    ),
]
RateOption = Annotated[
    str | None,
    typer.Option(
        "--rate", metavar="N/s", help="Of a replay: events sent at most. 5/s unless said otherwise."
    ),
]
_RATE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(?:/(s|m))?")
_FASTEST = 100.0  # Stripe answers no more requests than that
_STRIPE_S = 10.0


def apply(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A file made by --save-plan.")],
    show: Annotated[bool, typer.Option("--show", help="Show the plan; change nothing.")] = False,
    brief: Annotated[
        bool, typer.Option("--brief", help="With --show: no more than a screen of it.")
    ] = False,
    digest: DigestOption = None,
    dry_run: DryOption = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only changes with such an id. Repeatable."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="At most so many changes that are not done yet."),
    ] = None,
    force: ForceOption = False,
    yes: YesOption = False,
    rate: RateOption = None,
    output: PlanOutput = None,
) -> int:
    """Apply a plan: each change is made only where the row is as the plan saw it.

    Applied twice, nothing is done twice. Exit status: 0 all done or nothing to do, 1 some or all
    refused, 2 failed, 3 usage or configuration.
    """
    from payops.engine.applier import Choice
    from payops.engine.planning import load_plan

    chosen = output_of(output)
    asked = invocation(ctx)
    loaded = load_plan(plan)
    if digest is not None and loaded.digest != digest:
        raise RefusedError(
            f"{plan} is another plan than the one of --digest: nothing was changed",
            hint="somebody wrote it anew; look at it: payops apply "
            f"{shlex.quote(str(plan))} --show",
        )
    if show and brief and chosen in {"table", "plain"}:
        from payops.formats.plans.brief import plan_in_brief

        emit(plan_in_brief(loaded, datetime.now(UTC), f"payops apply {plan} --show"))
        return 0
    if show:
        show_plan("apply", loaded, chosen)
        return 0
    options = Options(
        Choice(tuple(only or ()), limit, dry_run, force),
        yes,
        chosen,
        f"payops apply {plan}",
        rate_option(rate),
    )
    return carry_out("apply", loaded, asked, options)


@dataclass(frozen=True)
class Options:
    """How a plan is carried out; `again` is the command that goes on with it, `per_second` how many
    events of a replay are sent (None: as many as payops thinks modest)."""

    choice: Choice
    yes: bool
    output: str
    again: str
    per_second: float | None = None


def output_of(output: str | None) -> str:
    """The format to write. Raises UsageError."""
    if output is not None:
        from payops.formats.plans import known

        return known(output)
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "plain"


def rate_option(text: str | None) -> float | None:
    """Events a second: `5/s`, `5`, `30/m`. Raises UsageError."""
    if text is None:
        return None
    match = _RATE.fullmatch(text)
    rate = float(match[1]) / (60 if match[2] == "m" else 1) if match else 0.0
    if not 0 < rate <= _FASTEST:
        raise UsageError(f"--rate: {text!r} is not a rate", hint="5/s, 30/m; at most 100/s")
    return rate


def show_plan(command: str, plan: Plan, output: str) -> None:
    """Write a plan as it may be reviewed."""
    now = datetime.now(UTC)
    if output == "json":
        from payops.formats.plans.data import plan_as_json

        emit(plan_as_json(command, plan))
    elif output == "markdown":
        from payops.formats.plans.ticket import plan_as_markdown

        emit(plan_as_markdown(plan, now))
    else:
        from payops.formats.plans.text import plan_for_people

        emit(plan_for_people(plan, now))


def carry_out(command: str, plan: Plan, asked: Invocation, options: Options) -> int:
    """Check a plan, ask, apply it, tell; the exit status."""
    from payops.config.load import located
    from payops.domain.deadline import Deadline
    from payops.engine.applier import apply_plan
    from payops.engine.journal import Journal, operator
    from payops.engine.target import check_account, check_database, check_plan_fits
    from payops.reconcile.spool import state_folder
    from payops.sources import Sources

    loaded = asked.load()
    settings = loaded.settings
    check_plan_fits(plan, settings, datetime.now(UTC), force=options.choice.forced)
    options.choice.of(plan)  # a glob that matches nothing is told before anything is asked
    if plan.target.system == "http":
        from payops.cli.sending import send_out

        return send_out(command, plan, asked, settings, options)
    if plan.target.system == "redis":
        from payops.cli.redis_keys import set_keys

        return set_keys(command, plan, asked, settings, options)
    if settings.postgres is None:
        with located(loaded.path):
            raise NotConfiguredError("postgres is not configured", hint="add postgres.write_dsn")
    from payops.sources.writer import PostgresWriter

    who = operator()
    writer = PostgresWriter(settings.postgres, who)
    sources = Sources(settings, Deadline.after(_STRIPE_S))
    dry_run = options.choice.dry_run
    try:
        if note := check_account(plan, settings, sources):
            tell(f"payops: {note}")
        with database_failures():
            check_database(plan, writer.database())
        if not plan.changes:
            emit_outcome(command, plan, nothing(), options)
            return 0
        if not dry_run:
            confirm(plan, settings, asked, options)
        with stopping() as stop, database_failures():
            applied = apply_plan(
                plan,
                writer,
                Journal(state_folder(settings)),
                options.choice,
                who=who,
                stop=stop,
                told=told_as(options.output),
            )
    finally:
        writer.close()
        sources.close()
    emit_outcome(command, plan, applied, options)
    return applied.exit_code


def confirm(plan: Plan, settings: Settings, asked: Invocation, options: Options) -> None:
    """Somebody says yes: in production by typing the environment's name. Raises RefusedError."""
    from payops.engine.target import is_production
    from payops.formats.plans.text import amount

    production = is_production(settings)
    name = settings.environment
    if options.yes:
        if production and asked.environment != name:
            raise RefusedError(
                f"{name} is production, and --yes alone is not enough there",
                hint=f"name it: --yes --environment {name}",
            )
        return
    if sys.stdin is None or not sys.stdin.isatty():
        flag = f"--yes --environment {name}" if production else "--yes"
        raise RefusedError(
            "nobody is there to say yes: the input is no terminal", hint=f"in a script: {flag}"
        )
    from payops.formats.plans.brief import plan_in_brief

    for line in plan_in_brief(plan, datetime.now(UTC), f"{options.again} --show").splitlines():
        tell(line)
    if production:
        said = _asked(f"Type {name!r} to apply {amount(plan)}: ")
        if said != name:
            raise RefusedError("that is not the environment's name: nothing was changed")
    elif _asked(f"Apply {amount(plan)} in {name}? [y/N] ").lower() not in {"y", "yes"}:
        raise RefusedError("nobody said yes: nothing was changed")


def _asked(question: str) -> str:
    from payops.domain.text import harmless

    sys.stderr.write(harmless(question))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """^C, a closed terminal and `kill` end it between two changes, never within one."""
    wanted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if not wanted:
            tell("payops: this change is finished first, then it ends")
        wanted.append(number)

    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(name, note) for name in names]
    try:
        yield lambda: bool(wanted)
    finally:
        for name, old in zip(names, before, strict=True):
            signal.signal(name, old)


@contextmanager
def database_failures() -> Iterator[None]:
    """Of a command that changes something, a database that does not answer is a failure (2)."""
    try:
        yield
    except SourceError as error:
        raise FailedError(str(error), hint=error.hint) from error


def told_as(output: str) -> Callable[[Change, Outcome], None]:
    """Writes a line for each change as soon as it is over, where the output is for people."""
    from payops.formats.plans.text import outcome_line

    def tell_one(change: Change, outcome: Outcome) -> None:
        if output in {"table", "plain"}:
            emit(outcome_line(change, outcome))

    return tell_one


def emit_outcome(command: str, plan: Plan, applied: Applied, options: Options) -> None:
    """What became of it."""
    dry_run = options.choice.dry_run
    if options.output == "json":
        from payops.formats.plans.data import outcome_as_json

        emit(outcome_as_json(command, plan, applied, dry_run=dry_run))
    elif options.output == "markdown":
        from payops.formats.plans.ticket import outcome_as_markdown

        emit(outcome_as_markdown(plan, applied))
    else:
        from payops.formats.plans.text import ending

        emit(ending(applied, dry_run=dry_run, command=options.again))
    if applied.stopped:
        tell(f"payops: {applied.stopped}")


def nothing() -> Applied:
    """What became of a plan without changes."""
    from payops.domain.plan_outcome import Applied

    return Applied(())
