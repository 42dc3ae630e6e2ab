"""One customer has paid twenty times within the hour.

A robot, a loop in a client, or a stolen account: velocity per customer is flagged (runbook 001,
fraud).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    def again(number: int) -> dict[str, object]:
        return {"status": "succeeded", "customer_id": "cus_labPaysOften", "amount": 1_000 + number}

    add_payments(lab, parameters["count"], again, minutes=50, stripe="succeeded")


SCENARIO = Scenario(
    title="One customer pays unusually often",
    runbook="001, fraud",
    breaks="one customer made twenty payments within the hour",
    expected={"payments.velocity": Status.WARN},
    inject=inject,
    heal=take_away,
    parameters={"count": Parameter(20, 11, 50, "how many payments; more than 10 are flagged")},
    mild={"count": 12},
    severe={"count": 45},
    outside="have support talk to the customer, and stop the loop or robot",
)
