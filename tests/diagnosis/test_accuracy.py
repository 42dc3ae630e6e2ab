"""`payops diagnose` on labs with an incident in them, with two, and with none.

A few of the cases that `python -m benchmarks.accuracy` tries; with PAYOPS_ALL=1 every one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zlib import crc32

import pytest
from benchmarks.accuracy import signals_told
from benchmarks.accuracy_cases import (
    Case,
    every_case,
    healthy,
    pairs,
    scenario_of,
    severities_of,
    singles,
)
from benchmarks.accuracy_look import Labs, Look
from benchmarks.accuracy_verdict import (
    Judged,
    Outcome,
    gave_no_answer,
    judged,
    outcome_of,
)

from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.symptom import Signal
from payops.domain.window import Window
from payops.engine.diagnose import Observation
from payops.lab.scenario import EVERY_PRESET, scenarios_for
from thinning import ALL

_SINGLES, _PAIRS = 3, 1


def drawn(preset: str) -> Iterator[Case]:
    """Some of one system's cases: others for each, and the same as long as they are there."""

    def turn(case: Case) -> int:
        return crc32(case.name.encode())

    yield from healthy(preset, 1, 1)
    yield from sorted(singles(preset, 1), key=turn)[:_SINGLES]
    yield from sorted(pairs(preset, 1), key=turn)[:_PAIRS]


CASES = list(every_case()) if ALL else [case for preset in EVERY_PRESET for case in drawn(preset)]


@pytest.fixture(scope="module")
def labs() -> Iterator[Labs]:
    with Labs() as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_called_by_its_name(labs: Labs, case: Case) -> None:
    look = labs.look(case)
    if look.seen is None:
        pytest.skip(look.why)
    found = judged(look, labs.look)
    assert found is not None
    assert found.outcome in (Outcome.RIGHT, Outcome.HIDDEN), signals_told(found)
    assert found.calls <= 30


# ── the cases ────────────────────────────────────────────────────────────────────────────────────


def test_every_scenario_of_every_system_is_tried_in_each_severity() -> None:
    every = list(every_case())
    tried = {(case.preset, case.scenarios, case.severity, case.seed) for case in every}
    for preset in EVERY_PRESET:
        for scenario in scenarios_for(preset):
            for severity in severities_of(scenario):
                for seed in (1, 2):
                    assert (preset, (scenario,), severity, seed) in tried
    assert len({case.name for case in every}) == len(every)


def test_severities_that_differ() -> None:
    assert severities_of("redis-down") == ("usual",)
    assert severities_of("payments-stuck-pending") == ("mild", "usual", "severe")


def test_pairs_are_drawn_alike_each_time_and_never_exclude_each_other() -> None:
    assert list(pairs("reference", 1)) == list(pairs("reference", 1))
    assert list(pairs("reference", 1)) != list(pairs("reference", 2))
    for case in pairs("reference", 1, None):
        one, other = map(scenario_of, case.scenarios)
        assert not one.holds & other.holds


# ── the judgement ────────────────────────────────────────────────────────────────────────────────

ONE = ("redis-down",)
TWO = ("redis-down", "webhook-endpoint-down")


@pytest.mark.parametrize(
    ("scenarios", "named", "abnormal", "outcome"),
    [
        ((), [], False, Outcome.RIGHT),
        ((), [], True, Outcome.ALARM),
        ((), ["redis-down"], True, Outcome.ALARM),
        (ONE, ["redis-down"], True, Outcome.RIGHT),
        (ONE, ["redis-down", "stripe-outage"], True, Outcome.BESIDE),
        (ONE, ["stripe-outage", "redis-down"], True, Outcome.WRONG),
        (ONE, ["stripe-outage"], True, Outcome.WRONG),
        (ONE, [], True, Outcome.MISSED),
        (("key-expired",), ["stripe-key-invalid"], True, Outcome.RIGHT),
        (TWO, ["webhook-endpoint-down", "redis-down"], True, Outcome.RIGHT),
        (TWO, [*TWO, "stripe-outage"], True, Outcome.BESIDE),
        (TWO, ["stripe-outage", *TWO], True, Outcome.WRONG),
        (TWO, ["redis-down"], True, Outcome.ONE),
        (TWO, ["stripe-outage"], True, Outcome.WRONG),
        (TWO, [], True, Outcome.MISSED),
    ],
)
def test_what_is_right(
    scenarios: tuple[str, ...], named: list[str], abnormal: bool, outcome: Outcome
) -> None:
    case = Case("reference", 1, scenarios)
    assert outcome_of(case, named, abnormal, lambda other: False) is outcome


def test_what_gives_no_answer_hides_an_incident_and_nothing_else_does() -> None:
    def hidden(other: str) -> bool:
        return other == "webhook-endpoint-down"

    case = Case("reference", 1, TWO)
    assert outcome_of(case, ["redis-down"], True, hidden) is Outcome.HIDDEN
    assert outcome_of(case, ["webhook-endpoint-down"], True, hidden) is Outcome.ONE


def seen(*signals: Signal, deep: bool = False) -> tuple[Observation, dict[str, Signal]]:
    """A look in which these were seen."""
    now = datetime(2026, 2, 11, tzinfo=UTC)
    reports = {"deep": Report("health", now, "lab", ())} if deep else {}
    window = Window(now - timedelta(hours=1), now)
    return Observation(now, window, "lab", "", reports), {one.check: one for one in signals}


FAILED = {"failure": "server_error", "failed": "stripe"}


@pytest.mark.parametrize(
    ("check", "signals", "deep", "silent"),
    [
        ("redis.connect", [Signal("redis.connect", Status.OK)], False, False),
        ("redis.connect", [Signal("redis.connect", Status.UNKNOWN)], False, True),
        ("stripe.api", [Signal("stripe.api", Status.CRIT, measured=FAILED)], False, True),
        (
            "queue.depth",
            [Signal("queue.depth", Status.CRIT, measured={"failed": "redis"})],
            0,
            True,
        ),
        ("webhooks.late", [Signal("webhooks.delivery", Status.CRIT, measured=FAILED)], False, True),
        ("webhooks.late", [Signal("webhooks.delivery", Status.OK)], False, False),
        ("postgres.size", [Signal("postgres.locks", Status.OK)], False, True),
        ("postgres.size", [Signal("postgres.locks", Status.OK)], True, False),
    ],
)
def test_what_gave_no_answer(check: str, signals: list[Signal], deep: bool, silent: bool) -> None:
    observation, found = seen(*signals, deep=deep)
    assert gave_no_answer(check, observation, found) is silent


def test_a_case_that_cannot_be_is_not_judged() -> None:
    look = Look(Case("reference", 1, TWO), None, "they exclude each other")

    def alone(_: Case) -> Look:
        raise AssertionError

    assert judged(look, alone) is None


def test_the_table_counts_and_keeps_what_was_not_right() -> None:
    from benchmarks.accuracy import table

    def one(severity: str, seed: int, outcome: Outcome, *named: str) -> Judged:
        case = Case("reference", seed, ONE, severity)  # type: ignore[arg-type]
        return Judged(case, outcome, named, (), {}, 1.5, 23)

    lines = list(
        table(
            [
                one("usual", 1, Outcome.RIGHT, "redis-down"),
                one("mild", 1, Outcome.WRONG, "stripe-outage"),
                one("mild", 2, Outcome.WRONG, "stripe-outage"),
            ]
        )
    )
    assert "| reference | 3 | 1 | 0 | 2 | 0 | 33.3%, MISSED |" in lines
    assert "| usual | 1 | 1 | 0 | 0 | 0 | met |" in lines
    missed = [line for line in lines if line.startswith("| redis-down ")]
    assert missed == ["| redis-down | reference mild, seed 1 and 2 | wrong | stripe-outage |"]
    assert "| 3 | 1.5 | 1.5 | 23 | 23 | at most 3 s and 30: met |" in lines
