"""Every check of payops has a scenario that trips it and nothing else, or a reason why not."""

from __future__ import annotations

import pytest

from payops.checks import check_ids
from payops.lab.scenario import load_scenario, scenario_ids
from payops.lab.systems import system

NEVER_ALONE = {
    "postgres.connect": (
        "what Postgres does not answer, no check that asks it can tell: they fall with it "
        "(database-down); a way there that takes a second makes each question take one"
    ),
    "redis.connect": (
        "likewise of Redis (redis-down); a Redis that takes half a second for INFO takes it for "
        "all, by chance of what it does at that moment"
    ),
    "stripe.tls": (
        "who does not trust the certificate asks nothing (stripe-certificate-refused); one that is "
        "trusted and ends soon needs a root of the lab's in the environment of payops, which no "
        "scenario can set"
    ),
    "postgres.slow-statements": (
        "the wheel's PostgreSQL does not bring pg_stat_statements: the query runs over a table of "
        "its columns in tests/checks/postgres/test_slow_statements.py"
    ),
}
TRIPPED_BY_NONE = {"postgres.slow-statements"}
"""Which a server that is down turns red, as all that ask it, and no fault of its own."""


def tripped() -> dict[str, dict[str, int]]:
    """By check, the scenarios that trip it, with how many checks each trips at least."""
    found: dict[str, dict[str, int]] = {id_: {} for id_ in check_ids()}
    for wanted in scenario_ids():
        scenario = load_scenario(wanted)
        for preset in scenario.presets:
            told = scenario.expected_in(system(preset))
            for check in told:
                if check in found:
                    least = found[check].get(wanted, len(told))
                    found[check][wanted] = min(least, len(told))
    return found


TRIPPED = tripped()


@pytest.mark.parametrize("check", check_ids())
def test_a_scenario_trips_it_alone_or_it_is_said_why_none_does(check: str) -> None:
    alone = [wanted for wanted, count in TRIPPED[check].items() if count == 1]
    if check in NEVER_ALONE:
        assert alone == [], "it has a scenario of its own now: strike it from NEVER_ALONE"
    else:
        assert alone, f"no scenario trips {check} alone: write one in lab/scenarios, or say why not"


def test_whatever_is_never_alone_is_a_check_and_falls_with_others() -> None:
    assert set(NEVER_ALONE) <= set(check_ids())
    for check in set(NEVER_ALONE) - TRIPPED_BY_NONE:
        assert TRIPPED[check], check
    for check in TRIPPED_BY_NONE:
        assert set(TRIPPED[check]) <= {"database-down", "complete-outage"}, check
