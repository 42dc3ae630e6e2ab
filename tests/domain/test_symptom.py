"""A symptom against one signal, and against all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from payops.domain.evidence import Scalar
from payops.domain.status import Status
from payops.domain.symptom import Condition, Operator, Signal, Symptom

OPEN: Mapping[str, Scalar] = {"state": "open", "failures": 7, "share": 40.0, "sure": True}


@pytest.mark.parametrize(
    ("name", "operator", "values", "holds"),
    [
        ("state", "=", ("open",), True),
        ("state", "=", ("closed", "open"), True),
        ("state", "=", ("closed",), False),
        ("state", "!=", ("closed",), True),
        ("state", "!=", ("open",), False),
        ("state", "~", ("op*",), True),
        ("state", "~", ("*x*",), False),
        ("failures", "=", (7,), True),
        ("failures", "=", (7.0,), True),
        ("failures", ">=", (7.0,), True),
        ("failures", ">", (7.0,), False),
        ("failures", "<=", (7.0,), True),
        ("failures", "<", (7.0,), False),
        ("state", ">", (1.0,), False),  # a word is not more than a number
        ("sure", "=", (True,), True),
        ("sure", "=", (1,), False),  # true is not one
        ("absent", "=", (None,), True),
        ("absent", "=", ("open",), False),
        ("absent", "!=", ("open",), True),
        ("absent", ">=", (0.0,), False),
        ("absent", "~", ("*",), False),
        ("state", "=", (None,), False),
    ],
)
def test_a_condition(
    name: str, operator: Operator, values: tuple[Scalar, ...], *, holds: bool
) -> None:
    assert Condition(name, operator, values).holds(OPEN) is holds


def signals(*given: Signal) -> dict[str, Signal]:
    return {one.check: one for one in given}


DOWN = Signal("stripe.api", Status.CRIT, measured={"failure": "dns", "failed": "stripe"})
BREAKER = Signal("circuit.state", Status.CRIT, "it is open", measured={"state": "open"})
WELL = Signal("redis.connect", Status.OK)


def test_trouble_is_what_a_symptom_means_without_a_status() -> None:
    symptom = Symptom("circuit.*")
    assert symptom.in_(signals(BREAKER, WELL)) == (BREAKER,)
    assert not Symptom("redis.connect").in_(signals(WELL))


def test_what_must_and_must_not_stand_beside_it() -> None:
    both = signals(BREAKER, DOWN)
    assert Symptom("circuit.state", also=(Symptom("stripe.api"),)).in_(both)
    assert not Symptom("circuit.state", also=(Symptom("redis.connect"),)).in_(both)
    assert not Symptom("circuit.state", unless=(Symptom("stripe.api"),)).in_(both)
    assert Symptom("circuit.state", unless=(Symptom("redis.connect"),)).in_(both)


def test_a_summary_can_be_looked_at() -> None:
    wanted = Condition("summary", "~", ("*open*",))
    assert Symptom("circuit.state", where=(wanted,)).fits(BREAKER)
    assert not Symptom("stripe.api", where=(wanted,)).fits(DOWN)


def test_silence_confirms_nothing_but_silence() -> None:
    """A check that could not be asked is no symptom of what it asks."""
    assert not Symptom("stripe.api").shown_by(signals(DOWN))
    because = Condition("failure", "=", ("dns", "tls"))
    assert Symptom("stripe.api", where=(because,)).shown_by(signals(DOWN)) == (DOWN,)
    assert Symptom("*", where=(Condition("failed", "=", ("stripe",)),)).in_(signals(DOWN, BREAKER))
