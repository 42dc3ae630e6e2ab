"""The breaker before Stripe is open for 12 minutes, though Stripe has long been well.

It should have turned half-open 30 s after it opened; every payment since is refused at once with
`circuit_open` / `ServiceUnavailableError` (runbook 004, scenario 2). Stripe answers, so the breaker
is to be reset by hand.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import add_failures, open_breaker, remove_added, restore_breaker

FAILURES = 7


def inject(lab: Lab, parameters: Parameters) -> None:
    open_breaker(lab, seconds_ago=parameters["minutes"] * 60, failures=FAILURES)
    add_failures(
        lab,
        minutes=parameters["minutes"],
        code=("circuit_open",),
        message="ServiceUnavailableError: breaker open",
    )


def heal(lab: Lab) -> None:
    remove_added(lab)
    restore_breaker(lab)


SCENARIO = Scenario(
    title="The circuit breaker is stuck open",
    runbook="004, scenario 2",
    breaks="the breaker's state in Redis is open, 12 minutes after its last failure",
    expected={
        "circuit.state": Status.CRIT,
        "payments.success-rate": Status.CRIT,
        "payments.failure-rate": Status.CRIT,
        "payments.failing-customers": Status.CRIT,
    },
    inject=inject,
    heal=heal,
    changes=frozenset({"breaker"}),
    parameters={"minutes": Parameter(12, 2, 55, "for how long it has been open")},
    mild={"minutes": 3},
    severe={"minutes": 50},
)
