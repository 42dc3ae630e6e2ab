"""`payops drill`: an incident to practise on, by the clock, on a lab of its own.

It asks nobody's servers. The lab is stopped at the end, however it ends.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import ended_in_order, tell
from payops.cli.invocation import OutputOption, chosen_output, duration_option, invocation
from payops.cli.lab_options import laboratory_module
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.cli.drill_desk import Desk
    from payops.domain.runbook import Runbook
    from payops.lab.drill import DrillOptions

_OF_A_DRILL = "--status, --check, --outside, --diagnosis and --end"


def drill(
    ctx: typer.Context,
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="One is drawn when left out.")
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Nobody is told which; its name stands nowhere.")
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(metavar="PRESET", help="Which system; reference.", show_default=False),
    ] = None,
    severity: Annotated[str, typer.Option(help="mild, usual or severe.")] = "usual",
    seed: Annotated[
        int | None, typer.Option(help="The same number draws the same drill.", show_default=False)
    ] = None,
    two: Annotated[bool, typer.Option("--two", help="Two incidents at once.")] = False,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="It is over then; twice the target, 1h at least.",
            show_default=False,
        ),
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Do not wait here; --end ends it.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up at the end.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where its lab lives, or one that is up."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="What was told, and the clock.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Is it repaired yet?")] = False,
    outside: Annotated[
        bool, typer.Option("--outside", help="Have done what only somebody else can do.")
    ] = False,
    diagnosis: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="Say what it is: written down.", show_default=False),
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End it, and see how it went.")] = False,
    output: OutputOption = None,
) -> int:
    """Break a lab, and time whoever repairs it: practice for the next incident.

    In a terminal it waits, with a clock; work in another one. --status, --check, --outside,
    --diagnosis and --end are for a drill that is under way. Exit status: 0 repaired in time,
    1 repaired late, 2 not repaired.
    """
    laboratory_module()
    asked = invocation(ctx)
    chosen = chosen_output(output, check=False)
    from payops.cli.drill_desk import Desk
    from payops.lab.drill import DrillOptions, default_directory

    where = (directory or default_directory()).expanduser().absolute()
    desk = Desk(where, directory, chosen, asked)
    wanted = [status, check, outside, diagnosis is not None, end]
    if any(wanted):
        if sum(wanted) > 1 or scenario or blind or two or preset or seed is not None:
            raise UsageError(f"{_OF_A_DRILL} go alone", hint="payops drill --help")
        return _of_one(desk, wanted, diagnosis, keep=keep)

    from payops.lab.parameter import severity as severity_of

    pages = _pages()
    options = DrillOptions(
        directory=where,
        known={suspect.scenario: page.mttr_s for page in pages for suspect in page.suspects},
        scenario=scenario,
        preset=preset,
        severity=severity_of(severity),
        seed=seed,
        two=two,
        blind=blind,
        keep=keep,
        environment=asked.environment or "lab",
        timeout_s=duration_option("--timeout", timeout).total_seconds() if timeout else None,
    )
    return _begun(desk, options, pages, waits=not background and _at_terminal())


def _of_one(desk: Desk, wanted: list[bool], diagnosis: str | None, *, keep: bool) -> int:
    """What was asked of a drill that is under way."""
    status, check, outside, _, end = wanted
    if status:
        return desk.told()
    if check:
        return desk.looked()
    if outside:
        return desk.helped()
    if diagnosis is not None:
        return desk.named(diagnosis)
    assert end  # noqa: S101  one of them was asked for
    return desk.ended(_pages(), keep=keep)


def _begun(desk: Desk, options: DrillOptions, pages: tuple[Runbook, ...], *, waits: bool) -> int:
    from payops.lab import drill as drills

    with ended_in_order():
        begun = drills.begin(options, tell)
        if not waits:
            return desk.told()
        try:
            return desk.waited(pages)
        except KeyboardInterrupt:
            tell("The drill is over.")
            drills.end(options.directory, begun, tell)
            raise


def _at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _pages() -> tuple[Runbook, ...]:
    """The runbooks that payops ships, and the user's own."""
    from payops.cli.runbook_shelf import shelf_told

    return shelf_told().runbooks
