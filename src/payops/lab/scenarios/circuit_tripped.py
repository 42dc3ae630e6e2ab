"""The breaker before Stripe was opened by hand, before a deployment, and nobody closed it.

No failure opened it and none was counted; nobody has tried to pay since. The next customer is
refused though Stripe is well (runbook 004, scenario 2: a reset by hand is its remedy).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.shop import open_breaker, restore_breaker


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    open_breaker(lab, seconds_ago=90, failures=0)


SCENARIO = Scenario(
    title="A breaker was opened by hand and forgotten",
    runbook="004, scenario 2",
    breaks="the breaker before Stripe is open without a failure, and no payment was tried since",
    expected={"circuit.state": Status.CRIT},
    inject=inject,
    heal=restore_breaker,
    changes=frozenset({"breaker"}),
)
