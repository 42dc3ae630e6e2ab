"""One customer tries again and again, and the bank declines each time.

At most three tries (runbook 000, `incorrect_cvc`), then the bank blocks the card. It is a matter of
support, not an incident.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameters, Scenario

TRIES = 4


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters

    def declined(number: int) -> dict[str, object]:
        return {
            "status": "failed",
            "failure_code": "incorrect_cvc",
            "failure_message": "Your card's security code is incorrect.",
            "customer_id": "cus_labKeepsFailing",
            "amount": 4_900 + number,
        }

    add_payments(lab, TRIES, declined, minutes=10, stripe="requires_payment_method")


SCENARIO = Scenario(
    title="One customer keeps failing",
    runbook="000, common error codes",
    breaks="one customer was declined four times in ten minutes",
    expected={"payments.failing-customers": Status.WARN},
    inject=inject,
    heal=take_away,
    outside="have support talk to the customer",
)
