"""A payment of a hundred times what is usual.

High values are flagged (runbook 001, fraud); as often it is a mistake of units, 49.99 charged as
4,999.00.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters

    def large(number: int) -> dict[str, object]:
        del number
        return {"status": "succeeded", "amount": 499_900, "currency": "usd"}

    add_payments(lab, 1, large, minutes=10, stripe="succeeded")


SCENARIO = Scenario(
    title="A payment is unusually large",
    runbook="001, fraud",
    breaks="one payment is a hundred times as large as usual",
    expected={"payments.high-value": Status.WARN},
    inject=inject,
    heal=take_away,
    outside="have somebody look at the payment",
)
