"""What the shipped runbooks make of single findings that people meet."""

from __future__ import annotations

import pytest

from payops.diagnosis.rank import rank
from payops.domain.status import Status
from payops.domain.symptom import Signal
from payops.runbook.shelf import every_runbook, shipped

SUSPECTS = tuple(each for one in every_runbook(shipped()) for each in one.suspects)


@pytest.mark.parametrize(
    ("signal", "scenario"),
    [
        # Nothing else is abnormal while no payment is tried: the page is named all the same.
        (Signal("app.health", Status.CRIT, measured={"failure": "refused"}), "application-fails"),
        (Signal("app.health", Status.CRIT, measured={"failure": "timed_out"}), "application-fails"),
        (
            Signal("payments.failure-rate", Status.CRIT, measured={"over": False}),
            "payments-failing",
        ),
        (Signal("payments.failure-rate", Status.CRIT, measured={"over": True}), "payments-failed"),
        (Signal("payments.failure-rate", Status.WARN, measured={"over": True}), "payments-failed"),
    ],
)
def test_what_it_is_called(signal: Signal, scenario: str) -> None:
    found = rank(SUSPECTS, {signal.check: signal})
    assert [one.scenario for one in found.causes] == [scenario]
    assert found.unexplained == ()
    assert found.causes[0].against == ()


def test_what_was_sent_again_is_over() -> None:
    signals = (
        Signal("webhooks.delivery", Status.OK, measured={"sent_again": 22, "pending": 2}),
        Signal("webhooks.backlog", Status.CRIT, measured={"count": 82}),
        Signal("payments.latency", Status.CRIT),
    )
    found = rank(SUSPECTS, {one.check: one for one in signals})
    assert [one.scenario for one in found.causes] == ["webhook-events-sent-again"]
    assert found.unexplained == ()
