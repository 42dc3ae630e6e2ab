"""What `payops diagnose` is tried on: every scenario in every system, at its worst and its mildest,
two at once, and nothing at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

from payops.errors import LabError
from payops.lab import laboratory
from payops.lab.parameter import SEVERITIES, USUAL, Severity
from payops.lab.scenario import EVERY_PRESET, load_scenario, scenarios_for

scenario_of = cache(load_scenario)
SEEDS = (1, 2)
HEALTHY = 10
"""How often each healthy lab is looked at, of each preset and seed."""
DRAWN_PAIRS = 12
"""How many pairs are drawn, of each preset and seed."""


@dataclass(frozen=True, order=True)
class Case:
    """One look at a lab: `scenarios` are in force, none of them on a healthy one.

    `number` tells the looks at a healthy lab apart.
    """

    preset: str
    seed: int
    scenarios: tuple[str, ...] = ()
    severity: Severity = USUAL
    number: int = 0

    @property
    def name(self) -> str:
        """Which case it is, as a file's name."""
        what = "+".join(self.scenarios) or f"healthy-{self.number}"
        return f"{self.preset}.{self.seed}.{self.severity}.{what}"


def severities_of(scenario: str) -> tuple[Severity, ...]:
    """Those that differ: a scenario without parameters has one."""
    values = scenario_of(scenario).severities
    return tuple(each for each in SEVERITIES if each == USUAL or values[each] != values[USUAL])


def singles(preset: str, seed: int) -> Iterator[Case]:
    """Every scenario that is made for the preset, in each of its severities."""
    for scenario in scenarios_for(preset):
        for severity in severities_of(scenario):
            yield Case(preset, seed, (scenario,), severity)


def healthy(preset: str, seed: int, count: int = HEALTHY) -> Iterator[Case]:
    """Looks at a lab in which nothing is wrong."""
    return (Case(preset, seed, number=number) for number in range(count))


def pairs(preset: str, seed: int, count: int | None = DRAWN_PAIRS) -> Iterator[Case]:
    """Two at once: so many drawn ones, each in a severity that is drawn too; all without a count.

    Those that exclude each other by what they hold are left out.
    """
    every = [
        (one, other)
        for one, other in combinations(scenarios_for(preset), 2)
        if not scenario_of(one).holds & scenario_of(other).holds
    ]
    if count is None:
        yield from (Case(preset, seed, pair) for pair in every)
        return
    drawing = random.Random(f"{preset} {seed}")
    for pair in drawing.sample(every, min(count, len(every))):
        yield Case(preset, seed, pair, drawing.choice(SEVERITIES))


def every_case(all_pairs: bool = False) -> Iterator[Case]:
    """All cases, those of one lab together; the looks at a healthy one among the others."""
    for preset in EVERY_PRESET:
        for seed in SEEDS:
            broken = [*singles(preset, seed), *pairs(preset, seed)]
            if all_pairs:
                broken += [case for case in pairs(preset, seed, None) if case not in broken]
            well = list(healthy(preset, seed))
            step = -(-len(broken) // len(well))
            for number, each in enumerate(well):
                yield each
                yield from broken[number * step : (number + 1) * step]


def accepted(scenario: str) -> frozenset[str]:
    """What a diagnosis may rightly call it."""
    return scenario_of(scenario).told_as


def injected(where: Path, case: Case) -> str:
    """Set all of a case loose; why that cannot be, empty when it was done."""
    try:
        for scenario in case.scenarios:
            laboratory.inject(where, scenario, severity=case.severity)
    except LabError as error:
        laboratory.heal(where)
        return str(error)
    return ""
