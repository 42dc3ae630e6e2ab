"""What can be chosen of a scenario: numbers within bounds, and three severities made of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from payops.errors import UsageError

Severity = Literal["mild", "usual", "severe"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
USUAL: Severity = "usual"


@dataclass(frozen=True)
class Parameter:
    """A number that can be chosen when injecting: its default, its bounds, its meaning."""

    default: int
    lowest: int
    highest: int
    meaning: str


def severity(text: str) -> Severity:
    """The severity of that name. Raises UsageError naming the three."""
    for one in SEVERITIES:
        if text == one:
            return one
    raise UsageError(
        f"{text!r} is no severity", hint=f"--severity {', '.join(SEVERITIES[:-1])} or severe"
    )


def chosen(
    scenario: str,
    parameters: Mapping[str, Parameter],
    given: Mapping[str, object],
    meant: Mapping[str, int],
) -> dict[str, int]:
    """A value for every parameter: the one given, else that of the severity, else the default.

    Raises UsageError for what is unknown or out of bounds.
    """
    for name in given:
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, n=1, cutoff=0.4)
            known = ", ".join(parameters) or "none"
            raise UsageError(
                f"{scenario} has no parameter {name!r}"
                + (f"; did you mean {near[0]!r}?" if near else ""),
                hint=f"its parameters: {known}",
            )
    values = {}
    for name, parameter in parameters.items():
        wanted = given.get(name, meant.get(name, parameter.default))
        try:
            value = int(str(wanted))
        except ValueError:
            raise UsageError(f"{name} is a number, not {wanted!r}") from None
        if not parameter.lowest <= value <= parameter.highest:
            raise UsageError(
                f"{name} is {parameter.lowest} to {parameter.highest}, not {value}",
                hint=parameter.meaning,
            )
        values[name] = value
    return values
