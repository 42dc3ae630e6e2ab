"""`payops lab inject`, `mend` and `heal`: break the lab, and put it right again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import Annotated

import typer

from payops.cli.boundary import emit, emit_text
from payops.cli.lab_options import DirOption, laboratory_module, where_flag
from payops.errors import LabError, UsageError


def inject(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="One or more; see `payops lab list`.")
    ],
    directory: DirOption = None,
    severity: Annotated[
        str, typer.Option(help="mild, usual or severe: how many, how long, how bad.")
    ] = "usual",
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Repeatable; SCENARIO.NAME=VALUE for one of several.",
        ),
    ] = None,
) -> int:
    """Break the lab in one way, or in several at once: all of them, or none."""
    lab = laboratory_module()
    from payops.lab.parameter import severity as severity_of

    where = directory or lab.default_directory()
    how_bad = severity_of(severity)
    given = _parameters(parameters or (), scenarios)
    done: list[str] = []
    try:
        for scenario in scenarios:
            info = lab.inject(where, scenario, severity=how_bad, **given[scenario])
            done.append(scenario)
    except (LabError, UsageError):
        for scenario in reversed(done):
            lab.heal(where, scenario)
        raise
    flag = where_flag(directory)
    config = info.config if os.environ.get("PAYOPS_CONFIG") != info.config else ""
    begin = f"payops{f' --config {shlex.quote(config)}' if config else ''} diagnose"
    undo = f"payops lab heal{f' {scenarios[0]}' if len(scenarios) == 1 else ''}{flag}"
    emit_text(
        f"{' and '.join(scenarios)} {'is' if len(scenarios) == 1 else 'are'} in. "
        f"See what it is, and undo it:\n  {begin}\n  {undo}\n{_for_others(scenarios, flag)}"
    )
    return 0


def _for_others(scenarios: Sequence[str], flag: str) -> str:
    """What a runbook asks of somebody outside, who is played in a lab; nothing where nobody is."""
    from payops.lab.scenario import load_scenario

    lines = [
        f"  payops lab mend {name}{flag}\n" for name in scenarios if load_scenario(name).outside
    ]
    return "".join(["Where somebody else has to act, play them:\n", *lines]) if lines else ""


def _parameters(texts: Sequence[str], scenarios: Sequence[str]) -> dict[str, dict[str, str]]:
    """What was set for each scenario. Raises UsageError for what is not told of which it is."""
    given: dict[str, dict[str, str]] = {scenario: {} for scenario in scenarios}
    for text in texts:
        name, value = _parameter(text)
        scenario, dot, own = name.rpartition(".")
        if not dot and len(given) > 1:
            raise UsageError(
                f"--set {text}: of which scenario?", hint=f"--set {scenarios[0]}.{text}"
            )
        if dot and scenario not in given:
            raise UsageError(f"--set {text}: {scenario} is not among those that are injected")
        given[scenario if dot else scenarios[0]][own] = value
    return given


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r} is not NAME=VALUE")
    return name, value


def mend(
    scenario: Annotated[str, typer.Argument(help="One that is in force.")],
    directory: DirOption = None,
) -> int:
    """Do what somebody else has to do about a scenario, and leave the rest to payops.

    In life they restart Redis, or put the endpoint right; what was lost meanwhile is repaired with
    payops. `payops lab heal` undoes all of it.
    """
    lab = laboratory_module()
    from payops.lab.scenario import load_scenario

    info = lab.mend(directory or lab.default_directory(), scenario)
    emit_text(
        f"done outside: {load_scenario(scenario).outside}"
        + ("; what is left is for payops: payops diagnose" if scenario in info.scenarios else "")
        + "\n"
    )
    return 0


def heal(
    scenario: Annotated[str | None, typer.Argument(help="All of them when left out.")] = None,
    directory: DirOption = None,
) -> int:
    """Put right what `inject` broke."""
    lab = laboratory_module()
    where = directory or lab.default_directory()
    still = lab.heal(where, scenario).scenarios
    emit_text(
        f"healed: {scenario or 'everything'}" + (f"; still in: {', '.join(still)}" if still else "")
    )
    emit("\n")
    return 0
