"""Which of many alike cases are run: one of each kind, and all of them with PAYOPS_ALL=1.

A scenario is run on the reference and, of the other systems, on one of those that have to say the
same of it: another one for each scenario, so that every system has its share. Where a system has
something of its own to say, the scenario is run there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar
from zlib import crc32

from payops.lab.scenario import EVERY_PRESET, Scenario, load_scenario, scenario_ids
from payops.lab.systems import System, system

T = TypeVar("T")

ALL = os.environ.get("PAYOPS_ALL") == "1"
OTHERS = tuple(name for name in EVERY_PRESET if name != "reference")

Saying = Callable[[Scenario, System], Hashable]


def statuses_of(scenario: Scenario, made: System) -> Hashable:
    """What `payops health` has to say of a scenario on this system."""
    return frozenset(scenario.expected_in(made).items())


def share(preset: str, says: Saying = statuses_of) -> tuple[str, ...]:
    """The ids of the scenarios to be run on this system, of those that are made for it."""
    return tuple(
        wanted
        for wanted in scenario_ids()
        if preset in load_scenario(wanted).presets
        and (ALL or preset == "reference" or preset in _of(wanted, says))
    )


def one_of_each(wanted: Sequence[T], kind: Callable[[T], Hashable], turn: str = "") -> list[T]:
    """One of each kind, in their order; which one is drawn by `turn`."""
    kinds: dict[Hashable, list[T]] = {}
    for each in wanted:
        kinds.setdefault(kind(each), []).append(each)
    drawn = [alike[crc32(turn.encode()) % len(alike)] for alike in kinds.values()]
    return [each for each in wanted if ALL or each in drawn]


def _of(wanted: str, says: Saying) -> list[str]:
    """The systems beside the reference that this scenario is run on."""
    scenario = load_scenario(wanted)
    fit = [name for name in OTHERS if name in scenario.presets]
    return one_of_each(fit, lambda name: says(scenario, system(name)), wanted)
