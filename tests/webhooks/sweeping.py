"""Pairs of scenarios in a lab: which there are, and what status has to say of two at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import permutations
from random import Random

from payops.lab import scenario
from payops.lab.scenario import Scenario
from payops.lab.systems import system
from thinning import ALL

# PAYOPS_PAIRS=all: every pair in both orders on every preset, with and without signed probes;
# otherwise some of them, others with each change of the seed.
ALL_PAIRS = os.environ.get("PAYOPS_PAIRS") == "all" or ALL
_DRAWN, _SEED = 12, 4
# Each waits ten seconds for an endpoint that hangs.
_SLOW = frozenset({"webhook-endpoint-down", "webhook-timeouts"})
# Once named wrongly: what strikes first is what stands before the handler, whichever came first.
_ALWAYS = (
    ("webhook-processed-twice", "webhook-redirect"),
    ("webhook-processed-twice", "webhook-signature-mismatch"),
    ("webhook-out-of-order", "webhook-redirect"),
)
_NEVER_SENT = frozenset({"endpoint-disabled", "type-not-subscribed"})


def of_preset(preset: str) -> dict[str, Scenario]:
    """The scenarios with causes that this preset has, by id."""
    return {
        wanted: found
        for wanted in scenario.scenario_ids()
        if (found := scenario.load_scenario(wanted)).causes and preset in found.presets
    }


def pairs(alone: Mapping[str, Scenario]) -> list[tuple[str, str]]:
    """Those that can be in force together, in the order in which they are injected: all of them, or
    some."""
    found = [
        (first, second)
        for first, second in permutations(alone, 2)
        if not alone[first].holds & alone[second].holds
    ]
    if ALL_PAIRS:
        return found
    drawn = [pair for pair in found if not _SLOW & set(pair) and pair not in _ALWAYS]
    return [*_ALWAYS, *sorted(Random(_SEED).sample(drawn, _DRAWN))]


def causes_of(preset: str, *scenarios: Scenario) -> frozenset[str]:
    """What status names while these are in force.

    Without an event log and without keys, nobody can tell an event that was answered and dropped
    from one that was never sent: while the endpoint does not take such events now, that is said.
    """
    made = system(preset)
    wanted = frozenset().union(*(each.causes_in(made) for each in scenarios))
    if not made.payload and not made.dedupe and wanted & _NEVER_SENT:
        return wanted - {"answered-not-processed"}
    return wanted
