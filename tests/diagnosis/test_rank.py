"""Causes out of signals, by tables: one for many, two at once, none, and unknown."""

from __future__ import annotations

import random
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from payops.diagnosis.rank import Verdict, rank
from payops.domain.evidence import Scalar
from payops.domain.status import Status
from payops.domain.symptom import Condition, Signal, Suspect, Symptom, Symptoms
from payops.runbook.shelf import every_runbook, shipped

OK, WARN, CRIT, UNKNOWN, SKIP = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN, Status.SKIP


def seen(**statuses: Status) -> dict[str, Signal]:
    """`redis__connect=CRIT` is `redis.connect`."""
    return {
        (id_ := name.replace("__", ".").replace("_", "-")): Signal(id_, status, f"{id_} says so")
        for name, status in statuses.items()
    }


def decisive(check: str, **where: Scalar) -> Symptom:
    conditions = tuple(Condition(name, "=", (value,)) for name, value in where.items())
    return Symptom(check, where=conditions, decisive=True)


def suspect(scenario: str, *, narrow: bool = False, **sides: tuple[Symptom, ...]) -> Suspect:
    return Suspect(scenario, scenario, scenario, "P1", Symptoms(**sides), narrow=narrow)


REDIS = suspect(
    "redis-down",
    confirm=(decisive("redis.connect"),),
    neutral=(Symptom("redis.*"), Symptom("queue.*"), Symptom("circuit.*")),
)
BREAKER = suspect(
    "circuit-stuck-open",
    confirm=(decisive("circuit.state"), Symptom("stripe.api", frozenset({OK}))),
    refute=(Symptom("stripe.api", frozenset({CRIT}), decisive=True),),
    neutral=(Symptom("payments.*"),),
)
FAILING = suspect("payments-failing", confirm=(decisive("payments.failure-rate"),))
KNOWN = (REDIS, BREAKER, FAILING)


def names(verdict: Verdict) -> list[str]:
    return [one.scenario for one in verdict.causes]


def test_nothing_is_wrong() -> None:
    verdict = rank(KNOWN, seen(redis__connect=OK, circuit__state=SKIP))
    assert verdict == Verdict()


def test_one_cause_explains_many_symptoms() -> None:
    found = rank(
        KNOWN, seen(redis__connect=CRIT, redis__memory=CRIT, queue__depth=CRIT, circuit__state=CRIT)
    )
    assert names(found) == ["redis-down"]
    assert [one.scenario for one in found.alternatives] == ["circuit-stuck-open"]
    assert not found.unexplained


def test_two_incidents_at_once_are_both_named() -> None:
    found = rank(KNOWN, seen(redis__connect=CRIT, payments__failure_rate=CRIT))
    assert sorted(names(found)) == ["payments-failing", "redis-down"]


def test_what_follows_is_an_alternative() -> None:
    found = rank(KNOWN, seen(circuit__state=CRIT, stripe__api=OK, payments__failure_rate=CRIT))
    assert names(found) == ["circuit-stuck-open"]
    assert found.causes[0].confidence == 1.0
    assert [one.scenario for one in found.alternatives] == ["payments-failing"]


def test_what_is_decisive_against_it_rules_it_out() -> None:
    found = rank(KNOWN, seen(circuit__state=CRIT, stripe__api=CRIT))
    assert not found.causes
    assert [one.scenario for one in found.ruled_out] == ["circuit-stuck-open"]
    assert [one.check for one in found.unexplained] == ["circuit.state", "stripe.api"]


def test_a_missing_symptom_lowers_confidence_and_an_unasked_one_does_not() -> None:
    missing = rank(KNOWN, seen(circuit__state=CRIT, stripe__api=WARN)).causes[0]
    unasked = rank(KNOWN, seen(circuit__state=CRIT, stripe__api=UNKNOWN)).causes[0]
    assert missing.confidence < 1.0
    assert unasked.confidence == 1.0
    assert unasked.unasked == {"stripe.api"}


def test_the_unknown_is_told_as_such() -> None:
    found = rank(KNOWN, seen(postgres__locks=CRIT, app__health=UNKNOWN))
    assert not found.hypotheses
    assert [one.check for one in found.unexplained] == ["postgres.locks", "app.health"]


def test_advice_is_nothing_to_explain() -> None:
    note = Signal("stripe.status-page", WARN, advisory=True)
    assert not rank(KNOWN, {note.check: note}).unexplained


def test_of_two_that_fit_alike_the_narrower_stands() -> None:
    narrow = suspect("circuit-tripped", narrow=True, confirm=BREAKER.symptoms.confirm)
    found = rank((*KNOWN, narrow), seen(circuit__state=CRIT, stripe__api=OK))
    assert names(found) == ["circuit-tripped"]


def test_causes_that_follow_from_each_other_in_a_ring_leave_one() -> None:
    ring = tuple(
        suspect(f"s{n}", confirm=(decisive(f"c.{n}"),), neutral=(Symptom(f"c.{(n + 1) % 3}"),))
        for n in range(3)
    )
    found = rank(ring, {f"c.{n}": Signal(f"c.{n}", CRIT) for n in range(3)})
    assert found.causes


SUSPECTS = tuple(each for one in every_runbook(shipped()) for each in one.suspects)
CHECKS = sorted({s.check for each in SUSPECTS for s in each.symptoms.confirm if "*" not in s.check})


@given(
    st.dictionaries(st.sampled_from(CHECKS), st.sampled_from([OK, WARN, CRIT, UNKNOWN, SKIP])),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_question_changes_nothing(
    statuses: Mapping[str, Status], chance: random.Random
) -> None:
    """Shuffled suspects and signals give the same verdict, and every trouble has its place."""
    signals = {id_: Signal(id_, status, "seen") for id_, status in statuses.items()}
    shuffled = list(SUSPECTS)
    chance.shuffle(shuffled)
    turned = dict(chance.sample(list(signals.items()), len(signals)))
    first, second = rank(SUSPECTS, signals), rank(shuffled, turned)
    assert [one.scenario for one in first.hypotheses] == [one.scenario for one in second.hypotheses]
    explained = {id_ for one in first.causes for id_ in one.explains}
    unexplained = {one.check for one in first.unexplained}
    abnormal = {id_ for id_, one in signals.items() if one.abnormal}
    assert explained | unexplained == abnormal
    assert not explained & unexplained
    assert all(0 < one.confidence <= 1 for one in first.hypotheses)
